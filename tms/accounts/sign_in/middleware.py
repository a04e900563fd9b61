"""The answer to attempts that the throttle rejects."""

import math
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from tms.accounts.sign_in.hashing import HashingBusyError
from tms.accounts.sign_in.throttle import SignInThrottledError
from tms.metrics.instruments import SIGN_INS


class RefusalMiddleware:
    """Answers an attempt that was rejected unchecked: the same page whether or not the person exists."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, SignInThrottledError):
            return refusal(request, "throttled", 429, exception.wait_s)
        if isinstance(exception, HashingBusyError):
            SIGN_INS.labels("busy").inc()
            return refusal(request, "busy", 429, exception.wait_s)
        return None


def refusal(request: HttpRequest, reason: str, status: int, wait_s: float) -> HttpResponse:
    context = {"reason": reason, "seconds": math.ceil(wait_s), "minutes": math.ceil(wait_s / 60)}
    answer = render(request, "accounts/wait.html", context, status=status)
    answer["Retry-After"] = str(math.ceil(wait_s))
    return answer
