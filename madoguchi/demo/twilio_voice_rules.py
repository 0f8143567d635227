"""What Twilio refuses of requests about calls and conferences, with its codes. Pure, no I/O.

Sources: the public description twilio_api_v2010.json (Calls, Conferences, Participants),
twilio.com/docs/api/errors.
"""

import re
from collections.abc import Callable, Mapping

from multidict import MultiDict

from madoguchi.demo.twilio_rules import (
    BOOLEAN,
    E164,
    Refusal,
    absolute,
    anything,
    check_known,
    one_of,
    sid_of,
    whole,
)

CLIENT = re.compile(r"client:[A-Za-z0-9_.@+-]{1,121}")
FINAL = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})
_METHOD = one_of("GET", "POST")
_EVENTS = one_of("initiated", "ringing", "answered", "completed")
_CONFERENCE_EVENT = re.compile(r"(start|end|join|leave|mute|hold|modify|speaker|announcement|\s)+")
_RECORDING_EVENT = re.compile(r"(in-progress|completed|absent|\s)+")
_BEEP = one_of("true", "false", "onEnter", "onExit")

Known = Mapping[str, Callable[[str], bool]]

_DIALLED: Known = {
    "To": anything,
    "From": anything,
    "StatusCallback": absolute,
    "StatusCallbackMethod": _METHOD,
    "StatusCallbackEvent": _EVENTS,
    "Timeout": whole(1, 600),
    "TimeLimit": whole(1, 86_400),
    "Record": BOOLEAN,
    "RecordingStatusCallback": absolute,
    "CallerId": anything,
    "CallReason": anything,
}
CALL: Known = {
    **_DIALLED,
    "Url": absolute,
    "Method": _METHOD,
    "Twiml": anything,
    "ApplicationSid": sid_of("AP"),
    "FallbackUrl": absolute,
    "FallbackMethod": _METHOD,
    "SendDigits": re.compile(r"[0-9#*wW]{1,32}").fullmatch,  # type: ignore[dict-item]
}
CALL_UPDATE: Known = {
    "Url": absolute,
    "Method": _METHOD,
    "Twiml": anything,
    "Status": one_of("canceled", "completed"),
    "StatusCallback": absolute,
    "StatusCallbackMethod": _METHOD,
    "FallbackUrl": absolute,
    "FallbackMethod": _METHOD,
    "TimeLimit": whole(1, 86_400),
}
PARTICIPANT: Known = {
    **_DIALLED,
    "Label": anything,
    "Muted": BOOLEAN,
    "Beep": _BEEP,
    "StartConferenceOnEnter": BOOLEAN,
    "EndConferenceOnExit": BOOLEAN,
    "EarlyMedia": BOOLEAN,
    "WaitUrl": anything,
    "WaitMethod": _METHOD,
    "MaxParticipants": whole(2, 250),
    "ConferenceRecord": one_of("true", "false", "record-from-start", "do-not-record"),
    "ConferenceStatusCallback": absolute,
    "ConferenceStatusCallbackMethod": _METHOD,
    "ConferenceStatusCallbackEvent": lambda text: _CONFERENCE_EVENT.fullmatch(text) is not None,
    "Coaching": BOOLEAN,
    "CallSidToCoach": sid_of("CA"),
}
PARTICIPANT_UPDATE: Known = {
    "Muted": BOOLEAN,
    "Hold": BOOLEAN,
    "HoldUrl": absolute,
    "HoldMethod": _METHOD,
    "AnnounceUrl": absolute,
    "AnnounceMethod": _METHOD,
    "WaitUrl": absolute,
    "WaitMethod": _METHOD,
    "BeepOnExit": BOOLEAN,
    "EndConferenceOnExit": BOOLEAN,
    "Coaching": BOOLEAN,
    "CallSidToCoach": sid_of("CA"),
}
CONFERENCE_UPDATE: Known = {
    "Status": one_of("completed"),
    "AnnounceUrl": absolute,
    "AnnounceMethod": _METHOD,
}


CALL_RECORDING: Known = {
    "RecordingStatusCallback": absolute,
    "RecordingStatusCallbackMethod": _METHOD,
    "RecordingStatusCallbackEvent": lambda text: _RECORDING_EVENT.fullmatch(text) is not None,
    "RecordingChannels": one_of("mono", "dual"),
    "RecordingTrack": one_of("inbound", "outbound", "both"),
    "Trim": one_of("trim-silence", "do-not-trim"),
}
RECORDING_UPDATE: Known = {
    "Status": one_of("in-progress", "paused", "stopped"),
    "PauseBehavior": one_of("skip", "silence"),
}


def check_recording_update(form: MultiDict[str], status: str) -> None:
    """Refuse what Twilio refuses of a change of a call's recording in a status."""
    check_known(form, RECORDING_UPDATE)
    if "Status" not in form:
        raise Refusal(20001, "Missing required parameter Status in the post body")
    if status not in {"in-progress", "paused"}:
        raise Refusal(21220, "Unable to update record as the recording is not in progress")


def truth(form: Mapping[str, str], name: str, otherwise: bool = False) -> bool:
    """Return a parameter that is true or false."""
    return form[name].lower() == "true" if name in form else otherwise


def check_dialling(form: MultiDict[str], known: Known, numbers: frozenset[str]) -> None:
    """Refuse what Twilio refuses of a request to call somebody. Raises Refusal."""
    check_known(form, known)
    to, caller = form.get("To", ""), form.get("From", "")
    if not to:
        raise Refusal(21201, "No 'To' number is specified")
    if not caller:
        raise Refusal(21213, "No 'From' number is specified")
    if not E164.fullmatch(to) and not CLIENT.fullmatch(to):
        raise Refusal(21211, f"The phone number you are attempting to call, {to[:50]}, is invalid.")
    if E164.fullmatch(to) and caller not in numbers:
        raise Refusal(
            21210,
            f"The source phone number provided, {caller[:50]}, is not verified for your account.",
        )


def check_calling(form: MultiDict[str], numbers: frozenset[str]) -> None:
    """Refuse what Twilio refuses of a new call: it needs exactly one source of TwiML."""
    check_dialling(form, CALL, numbers)
    if sum(name in form for name in ("Url", "Twiml", "ApplicationSid")) != 1:
        raise Refusal(21205, "Url parameter is required.")


def check_call_update(form: MultiDict[str], status: str) -> None:
    """Refuse what Twilio refuses of a change of a call in a status."""
    check_known(form, CALL_UPDATE)
    if "Url" in form and "Twiml" in form:
        raise Refusal(21205, "Url and Twiml cannot both be given.")
    if status in FINAL or (status != "in-progress" and form.get("Status") != "canceled"):
        if form.get("Status") == "completed" and status not in FINAL:
            return
        raise Refusal(21220, "Call is not in-progress. Cannot redirect.")


def check_coaching(form: Mapping[str, str]) -> None:
    """Refuse a coach without somebody to coach."""
    if truth(form, "Coaching") and "CallSidToCoach" not in form:
        raise Refusal(13257, "CallSidToCoach must be specified when Coaching is true.")
