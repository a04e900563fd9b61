"""LemonLDAP::NG from Debian as identity provider: its demonstration people, whose password is their name.

docs/single-sign-on.md names the packages that it needs.
"""

import json
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.request import build_opener

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from tests.support.polling import DEADLINE_S, wait_for
from tests.support.servers.saml_provider import keys

PORTAL = Path("/usr/share/lemonldap-ng/portal")
APP = """
use Plack::Builder;
use Lemonldap::NG::Portal::Main;
my $portal = Lemonldap::NG::Portal::Main->run({});
builder {
    enable "Static", path => sub { s!^/static/!! }, root => "/usr/share/lemonldap-ng/portal/htdocs/static/";
    $portal;
};
"""
INI = """
[all]
logLevel = warn
checkTime = 1
[configuration]
type = File
dirName = {folder}/conf
localStorage = Cache::NullCache
localStorageOptions = {{}}
[portal]
staticPrefix = /static
templateDir = /usr/share/lemonldap-ng/portal/templates
languages = en
[handler]
[manager]
"""


def is_installed() -> bool:
    return PORTAL.exists() and Path("/usr/bin/plackup").exists()


class Registered(NamedTuple):
    """A TMS as the provider knows it."""

    base: str
    slug: str = "company"
    client_id: str = "tms"
    secret: str = "a-secret-for-this-test-only"


class LemonLDAP:
    """`dwho` is in the groups `timelords` and `users`, `rtyler` in `earthlings` and `users`."""

    def __init__(self, folder: Path, tms: Registered) -> None:
        with closing(socket.socket()) as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.issuer = self.url
        for name in ("conf", "sessions/lock", "psessions/lock"):
            (folder / name).mkdir(parents=True)
        made = keys()
        self.certificate = made.certificate.decode()
        configured = json.dumps(self._configuration(folder, tms, made.key.decode()))
        (folder / "conf/lmConf-1.json").write_text(configured)
        (folder / "lemonldap-ng.ini").write_text(INI.format(folder=folder))
        (folder / "app.psgi").write_text(APP)
        self._log = (folder / "log").open("wb")
        self._process = subprocess.Popen(
            ["/usr/bin/plackup", "--host", "127.0.0.1", "--port", str(port), "--no-default-middleware", "app.psgi"],
            cwd=folder,
            env={"LLNG_DEFAULTCONFFILE": str(folder / "lemonldap-ng.ini"), "PATH": "/usr/bin:/bin"},
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        self._wait(folder)

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()
        self._log.close()

    def _wait(self, folder: Path) -> None:
        wait_for(lambda: self._answers() or self._process.poll() is not None)
        assert self._process.poll() is None, (folder / "log").read_text()[-2_000:]

    def _answers(self) -> bool:
        try:
            build_opener().open(f"{self.url}/.well-known/openid-configuration", timeout=DEADLINE_S).close()
        except OSError:
            return False
        return True

    def _configuration(self, folder: Path, tms: Registered, key: str) -> Mapping[str, Any]:
        storage = {"Directory": str(folder / "sessions"), "LockDirectory": str(folder / "sessions/lock")}
        lasting = {"Directory": str(folder / "psessions"), "LockDirectory": str(folder / "psessions/lock")}
        return {
            "cfgNum": 1,
            "cfgAuthor": "test",
            "cfgDate": "1",
            "cfgVersion": "2.21.2",
            "portal": f"{self.url}/",
            "domain": "127.0.0.1",
            "cookieName": "lemonldap",
            "securedCookie": 0,
            "authentication": "Demo",
            "userDB": "Demo",
            "passwordDB": "Null",
            "registerDB": "Null",
            "demoExportedVars": {"cn": "cn", "mail": "mail", "uid": "uid"},
            "whatToTrace": "uid",
            "captcha_login_enabled": 0,
            "captcha_mail_enabled": 0,
            "captcha_register_enabled": 0,
            "portalDisplayRegister": 0,
            "portalDisplayResetPassword": 0,
            "timeout": 72_000,
            "key": "0123456789abcdef",
            "globalStorage": "Apache::Session::File",
            "globalStorageOptions": storage,
            "persistentStorage": "Apache::Session::File",
            "persistentStorageOptions": lasting,
            "localSessionStorage": "Cache::FileCache",
            "localSessionStorageOptions": {"namespace": "sessions", "cache_root": str(folder / "cache")},
            "locationRules": {},
            "exportedHeaders": {},
            **self._openid_connect(tms, key),
        }

    def _openid_connect(self, tms: Registered, key: str) -> Mapping[str, Any]:
        private = load_pem_private_key(key.encode(), None)
        public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        return {
            "issuerDBOpenIDConnectActivation": 1,
            "oidcServiceMetaDataIssuer": self.issuer,
            "oidcServicePrivateKeySig": key,
            "oidcServicePublicKeySig": public,
            "oidcServiceKeyIdSig": "first",
            "oidcServiceIgnoreScopeForClaims": 1,
            "oidcRPMetaDataOptions": {
                "tms": {
                    "oidcRPMetaDataOptionsClientID": tms.client_id,
                    "oidcRPMetaDataOptionsClientSecret": tms.secret,
                    "oidcRPMetaDataOptionsRedirectUris": f"{tms.base}/sign-in/provider/{tms.slug}/callback/",
                    "oidcRPMetaDataOptionsPostLogoutRedirectUris": f"{tms.base}/sign-in/",
                    "oidcRPMetaDataOptionsIDTokenSignAlg": "RS256",
                    "oidcRPMetaDataOptionsBypassConsent": 1,
                    "oidcRPMetaDataOptionsRequirePKCE": 1,
                    "oidcRPMetaDataOptionsLogoutType": "back",
                    "oidcRPMetaDataOptionsLogoutUrl": f"{tms.base}/providers/{tms.slug}/logout/",
                    "oidcRPMetaDataOptionsLogoutSessionRequired": 1,
                }
            },
            "oidcRPMetaDataExportedVars": {
                "tms": {"name": "cn", "email": "mail", "preferred_username": "uid", "groups": "groups;string;always"}
            },
        }


@contextmanager
def running(folder: Path, tms: Registered) -> Iterator[LemonLDAP]:
    server = LemonLDAP(folder, tms)
    try:
        yield server
    finally:
        server.close()
