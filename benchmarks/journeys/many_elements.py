"""What people click, fill in and read while they work on many terminals at once."""

from benchmarks.journeys.elements import AFTERWARDS, Located, Where

OF_NAVIGATION = "//nav[contains(@class,'rail')]//a[@href='{}']"


class Many(Located):
    TO_TERMINALS = Where("/", OF_NAVIGATION.format("/terminals/"))
    TO_GROUPS = Where("/", OF_NAVIGATION.format("/groups/"))
    QUERY = Where("/terminals/", "//input[@id='q']")
    ROW = Where(AFTERWARDS, "//tr[@data-row]//a[@class='uid'][.='{uid}']")
    ALL_ROWS = Where("/terminals/", "//thead//input[@data-all]")
    ACTION = Where("/terminals/", "//form[@id='selection']//button[contains(@formaction,'{path}')]")
    SELECTED = Where(AFTERWARDS, "//form[@id='selection'][@data-open]")
    SAVE_VIEW = Where("/terminals/", "//*[@id='views']//a[contains(@href,'/views/new/')]")
    VIEW_NAME = Where("/views/new/", "//input[@id='id_name']", is_dialog=True)
    VIEW_SUBMIT = Where("/views/new/", "//form[contains(@action,'/views/new/')]//button[@data-kind='primary']", True)
    VIEW_TAB = Where(AFTERWARDS, "//*[@id='views']//a[starts-with(@id,'view-')][contains(.,'{name}')]")

    TAGS = Where("/terminals/edit/tag/?all=1&q=kind:kiosk", "//input[@id='id_tags']")
    APPLY = Where(AFTERWARDS, "//button[@name='apply']")
    EDITED = Where(AFTERWARDS, "//*[contains(@class,'import-state')]")

    NEW_GROUP = Where("/groups/", "//a[@href='/groups/new/']")
    GROUP_NAME = Where("/groups/new/", "//input[@id='id_name']")
    GROUP_QUERY = Where("/groups/new/", "//*[@id='id_query']")
    GROUP_PREVIEW = Where(AFTERWARDS, "//*[@id='query-preview']//b")
    SAVE_GROUP = Where("/groups/new/", "//main//button[@form='group-form'][@data-kind='primary']")
    GROUP = Where(AFTERWARDS, "//a[contains(@href,'/groups/')][@aria-current='page'][contains(.,'{name}')]")

    COMMAND = Where("/jobs/new/", "//select[@id='id_command']")
    JOB_NAME = Where("/jobs/new/", "//input[@id='id_name']")
    JOB_HOURS = Where("/jobs/new/", "//select[@id='id_hours']")
    JOB_AT_ONCE = Where("/jobs/new/", "//input[@id='id_at_once']")
    CREATE_JOB = Where("/jobs/new/", "//form[@id='job-form']//button[@data-kind='primary']")
    CONFIRM_JOB = Where(AFTERWARDS, "//form[.//input[@name='is_confirmed']]//button[@data-kind='danger']")
    SKIPPED = Where(AFTERWARDS, "//nav[contains(@class,'job-tabs')]//a[contains(@href,'show=skipped')]")
    SKIPPED_ROW = Where(AFTERWARDS, "//tr[@data-row][.//*[@data-state='skipped']][contains(.,'{reason}')]")
    EXPORT = Where(AFTERWARDS, "//a[contains(@href,'/export/')][contains(.,'CSV')]")
