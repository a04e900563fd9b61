"""What people click, fill in and read while they change software and configuration."""

from benchmarks.journeys.elements import AFTERWARDS, Located, Where
from benchmarks.journeys.many_elements import OF_NAVIGATION


class Change(Located):
    TO_ROLLOUTS = Where("/", OF_NAVIGATION.format("/rollouts/"))
    TO_ARTIFACTS = Where("/rollouts/", "//nav[contains(@class,'tabs')]//a[@href='/artifacts/']")
    FILES = Where("/artifacts/", "//*[@data-artifact-drop]//input[@type='file']")
    ADD_ARTIFACT = Where(AFTERWARDS, "//*[@data-artifact-uploads]/li[contains(.,'{name}')]//form[not(@hidden)]//button")
    ARTIFACT = Where(AFTERWARDS, "//h1[.='{name}']")

    HOURS = Where("/rollouts/new/", "//select[@id='id_hours']")
    QUERY = Where("/rollouts/new/", "//input[@id='q']")
    PREVIEW = Where(AFTERWARDS, "//*[@id='preview-targets'][normalize-space(text())!='0']")
    ROLLOUT = Where(AFTERWARDS, "//*[@id='rollout-state']")
    WORKING = Where(AFTERWARDS, "//*[@id='rollout-working'][.!='0']")

    LEAK = Where("/demo/", "//form[@action='/demo/bad-rollout/']//button")
    STOPPED = Where(AFTERWARDS, "//*[@id='rollout-state']//*[@data-state='stopped']")
    EFFECT = Where(AFTERWARDS, "//*[contains(@class,'effects')]//tr[@data-out]")
    ROLL_BACK = Where(AFTERWARDS, "//*[@id='roll-back']//button[@data-kind='primary']")
    ROLLS_BACK = Where(AFTERWARDS, "//*[@id='rollout-state'][.//dd/a[starts-with(@href,'/rollouts/')]]")
    FINISHED = Where(AFTERWARDS, "//*[@id='rollout-state']//*[@data-state='finished']")

    TO_CONFIGURATION = Where("/", OF_NAVIGATION.format("/configuration/"))
    KEY = Where("/configuration/", "//a[@href='/configuration/keys/display.brightness/']")
    LAYER = Where("/configuration/keys/display.brightness/", "//select[@id='id_layer']")
    PLACE = Where("/configuration/keys/display.brightness/", "//input[@id='id_place']")
    VALUE = Where("/configuration/keys/display.brightness/", "//input[@id='id_value']")
    DRAFT = Where(AFTERWARDS, "//*[@id='set-title']/..//a[contains(@href,'/configuration/versions/')]")
    TITLE = Where(AFTERWARDS, "//input[@id='id_title']")
    REASON = Where(AFTERWARDS, "//textarea[@id='id_reason']")
    MAKE_READY = Where(AFTERWARDS, "//form[contains(@action,'/ready/')]//button[@data-kind='primary']")
    ROLL_OUT = Where(AFTERWARDS, "//a[contains(@href,'/rollouts/new/?version=')]")
