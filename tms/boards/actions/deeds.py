"""How a person is asked about what they do to alerts."""

from collections.abc import Mapping

from tms.alerts.actions.forms import AcknowledgeForm, AssignForm, CommentForm, NothingForm, SayForm, SnoozeForm

FORMS: Mapping[str, type[CommentForm]] = {
    "claim": NothingForm,
    "release": NothingForm,
    "change": AcknowledgeForm,
    "withdraw": CommentForm,
    "snooze": SnoozeForm,
    "assign": AssignForm,
    "comment": SayForm,
    "resolve": CommentForm,
}
"""By the name of the deed. Their `terms` are what its service takes."""
AT_ONCE = frozenset({"claim", "release"})
"""Those that ask nothing: a click does them."""
