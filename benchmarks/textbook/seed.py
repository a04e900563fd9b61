"""`python -m benchmarks.textbook.seed NUMBER`: the fleet and one person; prints the cookie of their session."""

import sys

import django


def main(number: int) -> None:
    django.setup()
    from django.conf import settings
    from django.contrib.auth.models import User

    from benchmarks.running.fleet import digest, uids
    from benchmarks.systems.session import sign_in
    from benchmarks.textbook.models import Terminal

    Terminal.objects.bulk_create(Terminal(uid=uid, digest=digest(uid)) for uid in uids(number))
    print(f"{settings.SESSION_COOKIE_NAME}={sign_in(User.objects.create_user('watcher'))}")


if __name__ == "__main__":
    main(int(sys.argv[1]))
