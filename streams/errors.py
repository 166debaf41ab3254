"""Every error a user can cause, as one tree.

    LapwingError
    ├── SettingsError        a setting is unknown or out of range
    ├── ContractError        a record is not what the contract says
    ├── EventFileError       an event file cannot be read (file and line)
    ├── RuleFilesError       rulebook files with all their mistakes (file, line, rule or case)
    ├── RuleError            one rule does not compile
    ├── BrokerError          the broker is absent, refuses, or its topics do not fit
    ├── StateError           a partition's state cannot be loaded or saved
    ├── ExplanationError     a customer or an instant of which nothing is known
    ├── StoreError           the database is absent or refuses
    ├── ActError             what somebody wants to do about a warning is not possible
    ├── DeskError            the desk cannot do what is asked of it
    ├── ListenError          an address cannot be listened on
    ├── ReportError          no period, or a figure of a report that contradicts another
    ├── ErasureError         something of a customer could not be erased
    ├── BacktestError        a history cannot be judged, or a revision of the rules is not there
    └── DemoError            the demo cannot go on

Foreign errors (Kafka, SQL, YAML, OS) are mapped to these at the edge where they arise, so that no caller
imports a driver to catch.
"""

REBUILD = "stop all workers and run `lapwing worker --rebuild` to rebuild the states from the topics"
"""The way out where states and topics do not fit."""


class LapwingError(Exception):
    """Anything the user can cause; its text is one line that names the place and the fix."""


class SettingsError(LapwingError):
    """A setting is unknown, of the wrong type or out of range."""


class ContractError(LapwingError):
    """A record is not what the contract says."""


class EventFileError(LapwingError):
    """An event file is missing, unreadable or holds a line that is not an event."""


class RuleError(LapwingError):
    """One rule does not compile."""


class RuleFilesError(LapwingError):
    """Rulebook files that were refused, with every mistake in them."""


class BrokerError(LapwingError):
    """The broker is absent or refuses, or its topics do not fit together."""


class StateError(LapwingError):
    """A partition's state cannot be loaded or saved."""


class ExplanationError(LapwingError):
    """A customer, or an instant, of which nothing is known."""


class StoreError(LapwingError):
    """The database is absent or refuses."""


class ActError(LapwingError):
    """What somebody wants to do about a warning is not possible."""


class DeskError(LapwingError):
    """The desk cannot do what is asked of it."""


class ListenError(LapwingError):
    """An address cannot be listened on."""


class ReportError(LapwingError):
    """A report is asked for what is no period, or one of its figures contradicts another."""


class ErasureError(LapwingError):
    """Something of a customer could not be erased, or is still there."""


class BacktestError(LapwingError):
    """A history cannot be judged, or what it is to be judged by is not there."""


class DemoError(LapwingError):
    """The demo cannot go on."""
