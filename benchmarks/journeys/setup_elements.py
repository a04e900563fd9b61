"""What an administrator clicks, fills in and reads while setting up TMS."""

from benchmarks.journeys.elements import AFTERWARDS, Located, Where

OF_NAVIGATION = "//nav[contains(@class,'rail')]//a[@href='{}']"
OF_SITE = "//*[contains(@class,'site-acts')]//a[contains(@href,'/sites/{{code}}/{}/')]"
SUBMIT = "//main//form[not(contains(@action,'/sign-out/'))]//button[@data-kind='{}']"


class Setup(Located):
    SET_UP_FACTOR = Where(AFTERWARDS, "//*[contains(@class,'factor-notice')]//a[@href='/me/security/']")
    ADD_APP = Where("/me/security/", "//a[@href='/me/security/app/']")
    APP_SECRET = Where("/me/security/app/", "//input[@id='secret']")
    APP_CODE = Where("/me/security/app/", "//input[@id='code'][@autofocus]")
    RECOVERY_CODES = Where(AFTERWARDS, "//textarea[@id='recovery-codes']")
    STORED = Where(AFTERWARDS, "//main//*[contains(@class,'panel-body')]//a[@data-kind='primary']")

    TO_OVERVIEW = Where("/", OF_NAVIGATION.format("/"))
    TO_SITES = Where("/", OF_NAVIGATION.format("/sites/"))
    TO_TERMINALS = Where("/", OF_NAVIGATION.format("/terminals/"))
    TO_GROUPS = Where("/", OF_NAVIGATION.format("/groups/"))
    NEXT_STEP = Where(AFTERWARDS, "//*[@id='first-run']//li[@data-step='now']//a[starts-with(@href,'{address}')]")
    FIRST_RUN = Where(AFTERWARDS, "//*[@id='first-run']")

    CODE = Where("/sites/new/", "//input[@id='id_code']")
    NAME = Where("/sites/new/", "//input[@id='id_name']")
    JAPANESE_NAME = Where("/sites/new/", "//input[@id='id_name_ja']")
    ADDRESS = Where("/sites/new/", "//input[@id='id_address']")
    SAVE_SITE = Where("/sites/new/", "//form[@id='site-form']//button[@data-kind='primary']")
    SITE_ROW = Where("/sites/", "//*[@id='sites']//a[@href='/sites/{code}/']")
    SITE_HEAD = Where("/sites/{code}/", "//*[@id='state']//dd[.='{code}']")
    TO_HOURS = Where("/sites/{code}/", OF_SITE.format("hours"))
    TO_CONTACTS = Where("/sites/{code}/", OF_SITE.format("contacts"))
    TO_KEYS = Where("/sites/{code}/", OF_SITE.format("keys"))
    MONDAY = Where("/sites/{code}/hours/", "//input[@id='id_day_0']")
    SAVE_HOURS = Where("/sites/{code}/hours/", "//form[@id='hours-form']//button[@data-kind='primary']")
    HOURS = Where(AFTERWARDS, "//*[@id='hours']//td[contains(.,'10:00')]")
    CONTACT = Where("/sites/{code}/contacts/", "//input[@id='id_form-0-name']")
    SAVE_CONTACTS = Where("/sites/{code}/contacts/", "//form[@id='contacts-form']//button[@data-kind='primary']")
    CONTACTS = Where(AFTERWARDS, "//*[@id='contacts']//a[starts-with(@href,'tel:')]")

    TERMINAL_SITE = Where("/enrol/", "//select[@id='id_site']")
    LOCATION = Where("/enrol/", "//input[@id='id_label']")
    CREATE_TERMINAL = Where("/enrol/", "//form[@action='/enrol/']//button[@data-kind='primary']")
    COPY_COMMAND = Where(AFTERWARDS, "//button[@data-copies='command']")
    COPY_SECRET = Where(AFTERWARDS, "//button[@data-copies='secret']")
    IT_IS_HERE = Where(AFTERWARDS, "//*[@id='progress'][@data-progress='connected']")
    OPEN_TERMINAL = Where(AFTERWARDS, "//*[@id='progress']//a[@data-kind='primary']")

    EMAIL = Where("/destinations/new/", "//a[starts-with(@href,'/destinations/new/email/')]")
    DESTINATION_NAME = Where("/destinations/new/email/", "//input[@id='id_name']")
    DESTINATION_ADDRESS = Where("/destinations/new/email/", "//*[@id='id_where']")
    SAVE_DESTINATION = Where("/destinations/new/email/", "//button[@form='destination-form'][@data-kind='primary']")
    POLICY_NAME = Where("/policies/new/", "//input[@id='id_name']")
    STEP_TO = Where("/policies/new/", "//*[contains(@class,'policy-steps')]/li[1]//summary")
    STEP_DESTINATION = Where(AFTERWARDS, "//*[contains(@class,'policy-steps')]/li[1]//label[contains(.,'{name}')]")
    SAVE_POLICY = Where("/policies/new/", "//button[@form='policy-form'][@data-kind='primary']")
    POLICY = Where("/policies/", "//main//a[starts-with(@href,'/policies/')][contains(.,'{name}')]")

    TO_IMPORT = Where("/terminals/", "//a[@href='/import/']")
    FILE = Where("/import/", "//input[@id='id_file']")
    CHECK_FILE = Where("/import/", SUBMIT.format("primary"))
    FAULTS = Where(AFTERWARDS, "//*[@id='faults']//tbody[count(tr)={number}]")
    CORRECTED = Where(AFTERWARDS, "//*[@id='import-state']//a[starts-with(@href,'/import/')]")
    APPLY = Where(AFTERWARDS, "//form[contains(@action,'/apply/')]//button[not(@disabled)]")
    APPLIED = Where(AFTERWARDS, "//form[contains(@action,'/undo/')]//button")

    NEW_GROUP = Where("/groups/", "//a[@href='/groups/new/']")
    GROUP_NAME = Where("/groups/new/", "//input[@id='id_name']")
    SAVE_GROUP = Where("/groups/new/", "//button[@form='group-form'][@data-kind='primary']")
    MEMBERS = Where(AFTERWARDS, "//*[@id='id_terminals']")
    ADD_MEMBERS = Where(AFTERWARDS, "//form[contains(@action,'/members/')]//*[contains(@class,'form-foot')]/button")
    MEMBER = Where(AFTERWARDS, "//td[.//input[@name='terminal']]/..//a[.='{uid}']")

    TERMINAL_ROW = Where("/terminals/", "//*[@id='terminals']//a[@href='/terminals/{uid}/']")
    MANAGE = Where("/terminals/{uid}/", "//h1/..//a[@href='/terminals/{uid}/manage/']")
    REPLACE = Where("/terminals/{uid}/manage/", "//a[@href='/terminals/{uid}/replace/']")
    NEW_SERIAL = Where("/terminals/{uid}/replace/", "//input[@id='id_serial']")
    REASON = Where("/terminals/{uid}/replace/", "//*[@id='id_comment']")
    SHOW_KEY = Where("/terminals/{uid}/replace/", "//button[@name='then'][@value='key']")
    PLACED = Where(AFTERWARDS, "//section[@aria-labelledby='device-title']//dd[.='{serial}']")
    UNEXPECTED = Where(AFTERWARDS, "//*[@id='unexpected']")
    ONLINE = Where(AFTERWARDS, "//*[@data-presence='online']")
    RETIRE = Where("/terminals/{uid}/manage/", "//a[@href='/terminals/{uid}/retire/']")
    CONFIRM_RETIRE = Where("/terminals/{uid}/retire/", SUBMIT.format("danger"))
    BRING_BACK = Where(AFTERWARDS, "//a[@href='/terminals/{uid}/bring-back/']")
    CONFIRM = Where(AFTERWARDS, SUBMIT.format("primary"))
    STATE = Where(AFTERWARDS, "//*[@id='lifecycle'][@data-lifecycle='{state}']")

    ROTATE = Where(AFTERWARDS, SUBMIT.format("danger"))
