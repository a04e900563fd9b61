"""HTTP to Django, WebSockets to consumers; nothing else."""

import os

from channels.routing import ProtocolTypeRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tms.settings")
django_application = get_asgi_application()

from consumers.routing import websockets

application = ProtocolTypeRouter({"http": django_application, "websocket": websockets})
