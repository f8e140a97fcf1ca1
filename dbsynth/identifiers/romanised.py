"""Names in Latin letters of languages that write no vowels, or many more than are read.

Letter by letter, such names come out as nobody writes them; the usual spellings are listed here, or
are those of a locale of Faker's that has them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Romanised:
    """Names of a language as its people write them in Latin letters.

    Attributes:
        town: What a town may be called, with a family name in it.
    """

    women: tuple[str, ...]
    men: tuple[str, ...]
    families: tuple[str, ...]
    town: str


LATIN_LOCALES = {
    "th": "en_TH", "hi": "en_IN", "ta": "en_IN", "mr": "en_IN", "gu": "en_IN", "or": "en_IN",
    "ne": "en_IN", "bn": "en_IN", "si": "en_IN", "am": "en_KE",
}  # fmt: skip
"""Locales whose names are those of other languages in Latin letters."""


def _names(words: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word.replace("_", " ") for word in words.split()))


_ARABIC = Romanised(
    _names(
        """Aisha Alia Amal Amani Amina Amira Arwa Asma Aya Basma Bushra Dalal Dalia Dana Dima Dina
        Fadia Farah Fatima Fawzia Ghada Habiba Hala Hanan Hind Huda Iman Inas Jamila Joumana
        Khadija Lamia Layla Lina Lubna Maha Mai Malak Mariam Maysa Mona Nada Nadia Nahla
        Najwa Nawal Nesrine Noor Noura Ola Rabia Rana Randa Rania Rasha Reem Rima Rola Ruba Sabah
        Safia Sahar Salma Samar Samira Sana Sara Sawsan Shadia Shaima Siham Suad Suha Taghreed
        Wafaa Widad Yara Yasmin Zahra Zainab"""
    ),
    _names(
        """Abbas Adel Adnan Ahmad Akram Ali Amin Amjad Anas Anwar Ashraf Ayman Aziz Bashar Basim
        Bilal Fadi Fahd Faisal Farid Faris Fawzi Ghassan Hadi Hakim Hamad Hani Hasan Hatem Haytham
        Hisham Hussein Ibrahim Idris Imad Ismail Issa Jaafar Jalal Jamal Jawad Kamal Karim Khaled
        Khalil Maher Mahmoud Majid Malik Mansour Marwan Mazen Mohammed Mounir Muhannad Musa Mustafa
        Nabil Nader Naji Nasser Nizar Omar Osama Qasim Rachid Rafiq Rami Rashad Riad Saad Sabri
        Said Salah Saleh Salim Sami Samir Tamer Tariq Tawfiq Wael Waleed Yahya Yasin Yasser Younis
        Yousef Zaid Ziad"""
    ),
    _names(
        """Abboud Abdallah Abu_Zaid Akkad Amer Ammar Asaad Asfour Ashour Atallah Atwan Awad Ayoub
        Azzam Badawi Baghdadi Bakri Barakat Barghouti Bashir Bishara Bitar Boulos Chahine Dabbagh
        Dabbas Daher Darwish Dawood Diab Fadel Fakhoury Fares Farhat Farouk Fayad Ghanem Gharib
        Ghazal Habib Haddad Hajjar Hakim Halabi Hamdan Hammoud Hamza Hariri Harb Hashimi Hassan
        Hatoum Hijazi Hilal Hourani Ismail Issa Jaber Jabbour Jamal Jarrar Jubran Kabbani Kanaan
        Karam Kassab Kattan Khalidi Khalifa Khatib Khoury Kilani Madani Mahfouz Malouf Mansour
        Marzouq Masri Matar Mousa Mubarak Murad Najjar Nasr Nassar Natour Nimr Odeh Omari Qabbani
        Qadri Qasimi Rahman Rashid Sabbagh Saeed Safadi Salameh Salman Saqr Sawaya Sayegh Shaheen
        Shami Sharif Shehadeh Sultan Taha Tamimi Tawil Turki Wahba Yamani Zahran Zaki Zaman Zayed
        Zuhair"""
    ),
    "Al {}",
)
_PERSIAN = Romanised(
    _names(
        """Afsaneh Anahita Arezoo Atefeh Azadeh Azar Bahar Banafsheh Behnaz Delaram Elaheh Elham
        Elnaz Farideh Farzaneh Fatemeh Fereshteh Forough Ghazaleh Golnaz Hamideh Hanieh Homa Jaleh
        Katayoun Kimia Ladan Laleh Leila Mahnaz Mahsa Mahtab Maryam Mina Mitra Mojgan Nahid Narges
        Nasrin Nazanin Negar Negin Niloufar Parisa Parvin Pegah Raha Roya Roxana Samaneh Sanaz
        Setareh Shabnam Shahla Shirin Simin Soraya Tahereh Taraneh Yasaman Yeganeh Zahra Zohreh"""
    ),
    _names(
        """Abolfazl Afshin Alireza Amin Amir Arash Ardeshir Arman Arvin Babak Bahman Bahram Behrouz
        Bijan Dariush Ehsan Esfandiar Farhad Faramarz Farshid Farzad Fereydoun Ghasem Hamed Hamid
        Hessam Hossein Houman Iman Iraj Jamshid Javad Kamran Kambiz Kaveh Keyvan Khosrow Kian
        Kourosh Mahdi Majid Mani Masoud Mehdi Mehran Milad Mohsen Morteza Nader Navid Nima Omid
        Parviz Payam Pejman Pouya Ramin Reza Rostam Saeed Saman Sasan Shahin Shahram Siamak Sina
        Siavash Soheil Soroush Vahid Yashar"""
    ),
    _names(
        """Abedi Afshar Ahmadi Akbari Alavi Alizadeh Amini Ansari Asadi Azizi Babaei Bagheri
        Bahrami Barzegar Bayat Behzadi Ebrahimi Eskandari Esmaeili Farahani Farrokhi Fathi Fazeli
        Ghaffari Ghanbari Ghasemi Ghorbani Golzari Habibi Haghighi Hashemi Hatami Heidari Hosseini
        Jafari Jahangiri Jalali Kamali Karimi Kazemi Khalili Khani Kiani Kohan Lotfi Mahdavi Maleki
        Mansouri Mirzaei Moeini Mohammadi Mohseni Moradi Mousavi Nabavi Naderi Najafi Namdar
        Nazari Nikzad Norouzi Omidi Parsa Pourali Rafiei Rahimi Rahmani Rajabi Ranjbar Rasouli
        Rezaei Rostami Sadeghi Saberi Salehi Samadi Sarvari Shafiei Shahbazi Shakeri Sharifi
        Sohrabi Soltani Tabrizi Taheri Tavakoli Vaziri Yazdani Yousefi Zand Zare"""
    ),
    "{}abad",
)
_HEBREW = Romanised(
    _names(
        """Adi Adina Anat Avigail Avital Ayala Ayelet Batya Chana Dafna Dalia Dana Devora
        Dina Dorit Efrat Einat Ela Eliana Galit Gila Hadas Hadassah Hagit Hila Idit Ilana Inbal
        Irit Karin Keren Lea Leora Libi Liat Limor Lior Maayan Maya Meital Merav Michal Miriam
        Naama Naomi Nava Neta Noa Noga Nurit Ofra Orit Orly Osnat Pnina Rachel Rina Rivka
        Ronit Ruth Sara Sharon Shira Shiran Shlomit Smadar Talia Tamar Tirza Tova Yael
        Yaffa Yehudit Yifat Zehava Ziva"""
    ),
    _names(
        """Aharon Alon Amichai Amir Amit Amnon Amos Ariel Arnon Asaf Asher Avi Aviv Avner Avraham
        Barak Baruch Ben Boaz Chaim Dan Daniel David Dov Dror Efraim Ehud Eitan Elad Eli Eliezer
        Elisha Erez Eyal Gad Gadi Gal Gideon Gil Giora Guy Hillel Ido Ilan Itai Itamar Itzik Meir
        Menachem Micha Mordechai Moshe Nadav Natan Nimrod Nir Nissim Noam Ofer Ofir Ohad Omer Oren
        Osher Rafi Ram Raz Reuven Ron Ronen Roy Saul Shai Shaul Shimon Shlomo Shmuel Tal Tomer
        Tzvi Uri Uzi Yaakov Yair Yaniv Yaron Yehuda Yigal Yisrael Yitzhak Yoav Yochanan Yonatan
        Yosef Yossi Yuval Zeev"""
    ),
    _names(
        """Abramov Adler Agami Aharoni Almog Alon Amar Amir Amsalem Arad Arazi Ashkenazi Atias
        Avital Avraham Azulay Bachar Barak Barzilai Ben_Ami Ben_David Ben_Haim Ben_Shitrit Biton
        Carmeli Cohen Dahan Danino Dayan Drori Edri Eisenberg Elbaz Eliyahu Elkayam Fischer
        Friedman Gabay Galili Gavriel Gilad Golan Goldberg Goldstein Greenberg Gross Haddad
        Harari Harel Hason Hazan Hershkovitz Kadosh Kahana Kaplan Karmi Katz Keinan Klein Kochavi
        Lavi Levi Levin Lieberman Lugasi Malka Maman Marciano Mashiach Mendel Mizrahi Mualem
        Nachmias Navon Nissim Ohana Ohayon Oren Peled Peretz Pinto Rabin Rahamim Regev Rosen
        Rosenberg Saban Sasson Segal Shaked Shalev Sharabi Shapira Sharon Shavit Shemesh Shoshan
        Sidi Siton Stern Suissa Tal Tamir Turgeman Tzur Vaknin Vardi Weiss Yadin Yaakov Yosef
        Zahavi Zamir Zohar"""
    ),
    "Kfar {}",
)
ROMANISED = {"ar": _ARABIC, "fa": _PERSIAN, "he": _HEBREW}
"""By language."""
