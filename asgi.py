"""HTTP to Django, WebSockets to consumers; nothing else."""

import os

from channels.routing import ProtocolTypeRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tms.config.settings")
django_application = get_asgi_application()

from consumers.routing import websockets
from tms.accounts.sign_in.gate import SignInGate
from tms.ops.middleware.trusted_proxy import socket_address

http = SignInGate(django_application, address_of=socket_address)
application = ProtocolTypeRouter({"http": http, "websocket": websockets})
