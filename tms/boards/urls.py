from django.urls import path

from tms.boards import views

urlpatterns = [
    path("", views.overview, name="overview"),
    path("terminals/", views.terminals, name="terminals"),
    path("terminals/<str:uid>/", views.terminal, name="terminal"),
    path("terminals/<str:uid>/series/", views.series, name="series"),
    path("terminals/<str:uid>/commands/", views.send_command, name="send-command"),
    path("alerts/", views.alerts, name="alerts"),
    path("alerts/acknowledge/", views.acknowledge_many, name="acknowledge-many"),
    path("alerts/<int:pk>/", views.alert, name="alert"),
    path("alerts/<int:pk>/acknowledge/", views.acknowledge, name="acknowledge"),
    path("help/", views.keys, name="keys"),
]
