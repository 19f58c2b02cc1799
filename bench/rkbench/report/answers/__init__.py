"""The questions of a run's suite, answered: does higher order pay at equal accuracy, and what does that depend on.

``sides`` says who is compared, ``costs`` what it costs, ``choosing`` with which settings, ``comparison`` what may be said
of a task and ``rule`` of all; ``saying`` and ``words`` put it into sentences, ``dependence`` looks for what it depends on.
"""
