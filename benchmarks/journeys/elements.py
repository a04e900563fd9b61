"""What people click, fill in and read on their journeys. A test looks for each element on the pages of a new demo."""

from enum import Enum
from typing import NamedTuple

AFTERWARDS = ""
"""The URL of what is there only after a step."""


class Where(NamedTuple):
    page: str
    """Its URL, with `{incident}`, `{past}` (an incident), `{alert}` and `{key}` (of an invitation)."""
    xpath: str
    """The path of the element, with the names of what differs from journey to journey."""
    is_dialog: bool = False


class Located(Enum):
    """An element that has a place."""

    def xpath(self, **names: str) -> str:
        where: Where = self.value
        return where.xpath.format(**names)


class Element(Located):
    USERNAME = Where("/sign-in/", "//input[@name='username'][@autofocus]")
    TOUR_NEXT = Where("/", "//*[@id='tour']//button[@data-next]")

    OVERVIEW = Where("/", "//*[@id='sites']/li")
    UNACKNOWLEDGED = Where("/", "//*[@id='incidents']/li[@data-ack='none']//h3/a[starts-with(@href,'/alerts/')]")
    INCIDENT_OF_SITE = Where("/", "//*[@id='incidents']//h3/a[starts-with(@href,'/incidents/')][contains(.,'{site}')]")
    ALERT_OF_TERMINAL = Where("/", "//*[@id='incidents']/li[.//a[contains(@href,'/terminals/{uid}/')]]")
    ACKNOWLEDGE_ROW = Where("/", "//*[@id='incidents']/li[.//a[contains(@href,'/terminals/{uid}/')]]//a[@data-key='a']")
    ROW_ACKNOWLEDGED = Where(
        AFTERWARDS, "//*[@id='incidents']/li[@data-ack='acknowledged'][.//a[contains(@href,'/terminals/{uid}/')]]"
    )
    MY_NAME = Where("/", "//a[@href='/me/'][contains(.,'{person}')]")
    TO_BREAK = Where("/", "//a[@id='nav-break']")
    TO_DIGEST = Where("/", "//nav//a[@href='/digest/']")
    TO_AVAILABILITY = Where("/", "//nav//a[@href='/availability/']")
    TO_PEOPLE = Where("/", "//nav//a[@href='/people/']")

    FAULT_TARGET = Where("/demo/", "//form[input[@value='{fault}']]//input[@name='target']")
    START_FAULT = Where("/demo/", "//form[input[@value='{fault}']]//button")
    UNDO_FAULT = Where(AFTERWARDS, "//*[@class='demo-broken']//button")

    OCCURRENCES = Where("/alerts/{alert}/", "//*[@id='occurrences-title']")
    RUNBOOK_OF_ALERT = Where("/alerts/{alert}/", "//*[contains(@class,'runbook')]//li")
    ACKNOWLEDGE_ALERT = Where("/alerts/{alert}/", "//*[@class='head-act']//a[@data-key='a']")
    ALERT_ACKNOWLEDGED = Where(AFTERWARDS, "//*[@class='head'][@data-ack='acknowledged']")

    FACTORS = Where("/incidents/{incident}/", "//*[@id='factors']")
    UNAFFECTED = Where("/incidents/{incident}/", "//*[@id='unaffected']//li")
    RUNBOOK_OF_INCIDENT = Where("/incidents/{incident}/", "//*[@id='runbooks']//li")
    CALL = Where("/incidents/{incident}/", "//*[@id='contacts']//a[starts-with(@href,'tel:')]")
    COMMENT_FIELD = Where("/incidents/{incident}/", "//input[@id='say']")
    COMMENT = Where("/incidents/{incident}/", "//*[@id='timeline']//small[contains(.,'{text}')]")
    ASSIGN = Where("/incidents/{incident}/", "//*[@data-state]//a[contains(@href,'/assign/')]")
    INCIDENT_ACKNOWLEDGED = Where(
        "/incidents/{incident}/",
        "//*[@data-state='acknowledged'][.//*[contains(@class,'people')][contains(.,'{person}')]]",
    )
    INCIDENT_RESOLVED = Where("/incidents/{past}/", "//*[@data-state='resolved']")
    POST_MORTEM = Where("/incidents/{incident}/", "//a[contains(@href,'/post-mortem/')]")

    DIALOG_COMMENT = Where(
        "/alerts/{alert}/acknowledge/", "//dialog[@id='action']//textarea[@name='comment'][@autofocus]", is_dialog=True
    )
    DIALOG_SUBMIT = Where("/alerts/{alert}/acknowledge/", "//dialog[@id='action']//footer//button", is_dialog=True)
    ASSIGNEE = Where("/incidents/{incident}/assign/", "//dialog[@id='action']//select[@name='to']", is_dialog=True)

    STILL_OPEN = Where("/digest/", "//*[@data-part='open']//li")
    NOTE_FIELD = Where("/digest/", "//form[@id='form-note']//textarea[@name='text']")
    ADD_NOTE = Where("/digest/", "//form[@id='form-note']//button[@data-kind='primary']")
    NOTE = Where("/digest/", "//*[contains(@class,'digest-notes')]/li[contains(.,'{text}')]")
    SIGN_OFF = Where("/digest/", "//form[contains(@action,'/sign-off/')]//button")
    SIGNED_OFF = Where(AFTERWARDS, "//*[@id='signed']/p[contains(.,'{person}')]")
    DIGEST_AS_MARKDOWN = Where("/digest/", "//a[contains(@href,'/digest/markdown/')]")

    REGION = Where("/availability/", "//select[@name='where']")
    FIGURES = Where(AFTERWARDS, "//*[@id='verdict']")
    PDF = Where("/availability/", "//a[contains(@href,'/availability/pdf/')][contains(@href,'{query}')]")
    CSV = Where("/availability/", "//a[contains(@href,'/availability/export/')]")
    MONTHLY_MAIL = Where("/availability/", "//a[contains(@href,'/availability/mail/')]")
    MAIL_PLANS = Where("/availability/mail/", "//*[@id='plans']")

    INVITED_ADDRESS = Where("/people/", "//input[@id='invite_email']")
    ROLE = Where("/people/", "//select[@name='grant-0-role']")
    SCOPE = Where("/people/", "//select[@name='grant-0-scope']")
    INVITE = Where("/people/", "//form[@action='/people/invite/']//button[@data-kind='primary']")
    INVITATION = Where(AFTERWARDS, "//textarea[@id='secret']")
    FAMILY_NAME = Where("/invitation/{key}/", "//input[@name='last_name'][@autofocus]")
