"""Differential privacy for an entity and all that it owns, over several tables.

A row of the *unit* table is an entity; it owns rows of other tables along foreign keys.  Everything
in a model that depends on data of entities is either measured with noise and paid for, or public by
the word of the user, or derived from names and types alone.

What is computed between two noisy answers is arranged so that a mistake costs utility, not privacy:

=============  =====================================================================
`mechanisms`   noise and private choice; the only module that knows OpenDP
`accountant`   zCDP inside, (epsilon, delta) outside
`purse`        one fit's budget, which no measurement can overdraw
`ledger`       the budget over all fits, on disk
`ownership`    which entity owns which rows; what is public
`contents`     the rows of entities in memory, weighed by their caps
`sizes`        caps and numbers of rows, from noisy counts of entities
`texts`        texts that a CHECK asks for
`limits`       limits of numbers that a CHECK names
`domains`      codes of columns, by type, by the user's word, or paid for
`walking`      times of siblings, as gaps
`marginals`    counts of codes and of pairs of codes, with noise
`structure`    which pairs are worth measuring, chosen privately
`inference`    noisy counts into consistent distributions
`fit`          all of it in order: a model
`forecast`     what a budget buys, before anything is spent
`audit`        what an attacker who knows all but one entity can tell
=============  =====================================================================
"""
