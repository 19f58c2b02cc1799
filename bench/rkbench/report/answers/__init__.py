"""The questions of a run's suite, answered: does higher order pay, and what does that depend on.

``sides`` says who is compared, ``costs`` by what, ``choosing`` with which settings, ``comparison`` what may be said of a
task and ``rule`` of all. ``saying`` and ``words`` put it into sentences with ``marks``, ``cost_table`` into a table;
``dependence`` looks for what it depends on, and ``methods`` takes each method alone.
"""
