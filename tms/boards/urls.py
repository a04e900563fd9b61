"""URLs of the boards and of the pages around them."""

from django.urls import path

from tms.boards import icons, pwa, suggestions, views
from tms.boards.actions import commands
from tms.boards.actions import views as actions
from tms.boards.actions.undo import undo
from tms.boards.alert_history import views as past
from tms.boards.approvals import views as approvals
from tms.boards.audit import views as audit
from tms.boards.availability import views as availability
from tms.boards.device_list.views import devices, export_devices
from tms.boards.digest import views as digest
from tms.boards.incidents import regrouping
from tms.boards.incidents import views as incidents
from tms.boards.maintenance import views as maintenance
from tms.boards.maintenance.calendar import maintenance_calendar
from tms.boards.rules import views as rules
from tms.boards.rules.correlation import correlation
from tms.boards.site_closing import close_site, reopen_site
from tms.boards.terminal_list.views import choose_columns, export_terminals
from tms.boards.wall import views as wall

urlpatterns = [
    path("", views.overview, name="overview"),
    path("icons.<slug:digest>.svg", icons.icons, name="icons"),
    path("icon-<int:size>.png", pwa.app_icon, name="app-icon"),
    path("manifest.webmanifest", pwa.manifest, name="manifest"),
    path("worker.js", pwa.worker, name="worker"),
    path("terminals/", views.terminals, name="terminals"),
    path("terminals/columns/", choose_columns, name="choose-columns"),
    path("terminals/export/", export_terminals, name="export-terminals"),
    path("terminals/<str:uid>/", views.terminal, name="terminal"),
    path("terminals/<str:uid>/series/", views.series, name="series"),
    path("terminals/<str:uid>/commands/", commands.send_command, name="send-command"),
    path("terminals/<str:uid>/commands/arguments/", commands.command_arguments, name="command-arguments"),
    path("views/numbers/", views.view_numbers, name="view-numbers"),
    path("sites/", views.sites, name="sites"),
    path("sites/<str:code>/", views.site, name="site"),
    path("sites/<str:code>/close/", close_site, name="close-site"),
    path("sites/<str:code>/reopen/", reopen_site, name="reopen-site"),
    path("devices/", devices, name="devices"),
    path("devices/export/", export_devices, name="export-devices"),
    path("alerts/", views.alerts, name="alerts"),
    path("alerts/past/", past.past_alerts, name="past-alerts"),
    path("alerts/past/export/", past.export_past, name="export-past-alerts"),
    path("alerts/times/", past.alert_times, name="alert-times"),
    path("alerts/times/export/", past.export_times, name="export-alert-times"),
    path("alerts/<int:pk>/", views.alert, name="alert"),
    path("alerts/<int:pk>/series/", views.alert_series, name="alert-series"),
    path("alerts/<int:pk>/<slug:action>/", actions.act, {"subject": "alert"}, name="alert-action"),
    path("alerts/<slug:action>/", actions.act_on_many, name="bulk-action"),
    path("incidents/", incidents.incidents, name="incidents"),
    path("incidents/export/", incidents.export_incidents, name="export-incidents"),
    path("incidents/<int:pk>/", views.incident, name="incident"),
    path("incidents/<int:pk>/post-mortem/", incidents.post_mortem, name="post-mortem"),
    path("incidents/<int:pk>/move-out/", regrouping.move_alerts_out, name="move-out"),
    path("incidents/<int:pk>/<slug:action>/", actions.act, {"subject": "incident"}, name="incident-action"),
    path("incidents/merge/", regrouping.merge_incidents, name="merge-incidents"),
    path("incidents/<slug:action>/", incidents.act_on_incidents, name="bulk-incident-action"),
    path("undo/", undo, name="undo"),
    path("approvals/", approvals.approvals, name="approvals"),
    path("approvals/<int:pk>/", approvals.approval, name="approval"),
    path("approvals/<int:pk>/state/", approvals.approval_state, name="approval-state"),
    path("maintenance/", maintenance.maintenance, name="maintenance"),
    path("maintenance/calendar/", maintenance_calendar, name="maintenance-calendar"),
    path("maintenance/new/", maintenance.plan, name="plan-maintenance"),
    path("maintenance/preview/", maintenance.preview, name="preview-maintenance"),
    path("maintenance/<int:pk>/end/", maintenance.end, name="end-maintenance"),
    path("maintenance/<int:pk>/extend/", maintenance.extend, name="extend-maintenance"),
    path("maintenance/<int:pk>/cancel/", maintenance.cancel, name="cancel-maintenance"),
    path("rules/", rules.rules, name="rules"),
    path("rules/new/", rules.new_rule, name="new-rule"),
    path("rules/new/<slug:kind>/", rules.new_rule, name="new-rule-of"),
    path("rules/new/<slug:kind>/preview/", rules.preview_new_rule, name="preview-new-rule"),
    path("rules/correlation/", correlation, name="correlation"),
    path("rules/export/", rules.export_rules, name="export-rules"),
    path("rules/import/", rules.import_rules, name="import-rules"),
    path("rules/<int:pk>/", rules.rule, name="rule"),
    path("rules/<int:pk>/preview/", rules.preview_rule, name="preview-rule"),
    path("rules/<int:pk>/switch/", rules.switch_rule, name="switch-rule"),
    path("rules/<int:pk>/delete/", rules.delete_rule, name="delete-rule"),
    path("digest/", digest.shift_digest, name="digest"),
    path("digest/markdown/", digest.digest_as_markdown, name="digest-as-markdown"),
    path("digest/sign-off/", digest.sign_off_digest, name="sign-off-digest"),
    path("digest/notes/", digest.write_note, name="write-note"),
    path("digest/notes/<int:pk>/", digest.edit_note, name="edit-note"),
    path("digest/notes/<int:pk>/delete/", digest.delete_note, name="delete-note"),
    path("availability/", availability.availability, name="availability"),
    path("availability/export/", availability.export_availability, name="export-availability"),
    path("availability/pdf/", availability.export_pdf, name="export-availability-pdf"),
    path("availability/evidence/", availability.export_evidence, name="export-availability-evidence"),
    path("availability/target/", availability.set_target, name="set-availability-target"),
    path("audit/", audit.audit, name="audit"),
    path("audit/new/", audit.new_entries, name="new-audit-entries"),
    path("audit/export/", audit.export_audit, name="export-audit"),
    path("suggestions/sites/", suggestions.suggest_sites, name="suggest-sites"),
    path("suggestions/queries/devices/", suggestions.complete_devices, name="complete-devices"),
    path("suggestions/queries/sites/", suggestions.complete_sites, name="complete-sites"),
    path("suggestions/queries/", suggestions.complete_terminals, name="complete-terminals"),
    path("suggestions/terminals/", suggestions.suggest_terminals, name="suggest-terminals"),
    path("replay/", views.replay, name="replay"),
    path("help/", views.keys, name="keys"),
    path("wall/", wall.wall, name="wall"),
    path("wall/code/", wall.new_code, name="wall-code"),
]
