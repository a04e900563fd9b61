from django.conf import settings
from django.urls import path

from tms.accounts import views
from tms.accounts.people import urls as people

of_admin = [
    path("admin/login/", views.admin_sign_in, name="admin-sign-in"),
    path("admin/password_change/", views.admin_change_password, name="admin-change-password"),
]
urlpatterns = [
    path("sign-in/", views.sign_in, name="sign-in"),
    path("sign-out/", views.sign_out, name="sign-out"),
    path("me/password/", views.change_password, name="change-password"),
    path("me/theme/", views.choose_theme, name="choose-theme"),
    path("me/language/", views.choose_language, name="choose-language"),
    *people.urlpatterns,
    *(of_admin if settings.ADMIN else ()),
]
