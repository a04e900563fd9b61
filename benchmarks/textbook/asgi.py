"""The ASGI application of the textbook, with its sockets."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.textbook.settings")
django_application = get_asgi_application()

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from django.urls import path

from benchmarks.textbook.consumers import BoardConsumer, TerminalConsumer

routes = [
    path("ws/terminal/", TerminalConsumer.as_asgi()),
    path("ws/board/", BoardConsumer.as_asgi()),
]
application = ProtocolTypeRouter({"http": django_application, "websocket": AuthMiddlewareStack(URLRouter(routes))})
