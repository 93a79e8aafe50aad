# SPDX-License-Identifier: BSD-2-Clause
"""A private nginx in front of the portal, with the unchanged examples."""

import pathlib
import re

from processes import free_address, free_port, start, stop, wait_until

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "examples" / "nginx"
EXAMPLE = (EXAMPLES / "app-password-portal.conf").read_text()
AUTOCONFIG = (EXAMPLES / "app-password-autoconfig.conf").read_text()
PROXY = "/etc/nginx/app-password-proxy.conf"
SOCKET = "/run/app-password-portal/http.sock"

# A single sign-on service: it maps its cookie to a user, {"its session": "alice"}.
SSO = """
    map $cookie_sso $sso_name {{
        default "";
        {names}
    }}
    server {{
        listen unix:{folder}/sso.sock;
        location / {{
            if ($sso_name = "") {{ return 401; }}
            add_header X-User $sso_name;
            return 204;
        }}
    }}"""
VERIFY = """
        location = /sso/verify {{
            internal;
            proxy_pass http://unix:{folder}/sso.sock;
            proxy_pass_request_body off;
            proxy_set_header Content-Length "";
        }}"""

# The hosts at which mail programs of users in a domain look, with the usual ports.
HOSTS = """
    server {{
        listen {address}:443 ssl;
        listen {address}:80;
        server_name {domain} autoconfig.{domain} autodiscover.{domain};
        ssl_certificate {authority.certificate};
        ssl_certificate_key {authority.key};
        include {folder}/app-password-autoconfig.conf;
    }}"""


class Nginx:
    """nginx with TLS on a port of localhost; the portal listens on `socket`.

    single_sign_on  {cookie "sso": user}; the example is then changed as its comment says
    secret          what it sends to the portal then
    group           the group of its workers; their user is nobody
    domain          of mail addresses; its hosts have the address `address`
    """

    def __init__(self, folder, authority, socket, single_sign_on=None, group="nogroup",
                 secret="", domain=None):
        self.folder = folder
        self.address = free_address(443, 80) if domain else "127.0.0.1"
        folder.mkdir()
        folder.chmod(0o755)
        self.port = free_port()
        self.ca = authority.ca
        self.process = None
        assert EXAMPLE.count(SOCKET) == 1
        example = EXAMPLE.replace(SOCKET, str(socket))
        if single_sign_on:
            example = with_single_sign_on(example).replace(PROXY, f"{folder}/proxy.conf")
            (folder / "proxy.conf").write_text(
                f'proxy_set_header X-App-Password-Proxy "{secret}";\n')
            (folder / "proxy.conf").chmod(0o400)
        (folder / "app-password-portal.conf").write_text(example)
        assert AUTOCONFIG.count(SOCKET) == 1
        (folder / "app-password-autoconfig.conf").write_text(AUTOCONFIG.replace(SOCKET, str(socket)))
        hosts = HOSTS.format(address=self.address, domain=domain, authority=authority,
                             folder=folder) if domain else ""
        names = "".join(f'"{cookie}" "{name}";\n' for cookie, name in
                        (single_sign_on or {}).items())
        temporary = "".join(f"    {kind}_temp_path {folder}/{kind};\n" for kind in
                            ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        (folder / "nginx.conf").write_text(f"""\
user nobody {group};
worker_processes 1;
daemon off;
pid {folder}/pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log {folder}/access.log;
    include {EXAMPLES}/app-password-limits.conf;
{temporary}{SSO.format(folder=folder, names=names) if single_sign_on else ""}
    server {{
        listen 127.0.0.1:{self.port} ssl;
        server_name localhost;
        ssl_certificate {authority.certificate};
        ssl_certificate_key {authority.key};
        include {folder}/app-password-portal.conf;
        include {folder}/app-password-autoconfig.conf;
{VERIFY.format(folder=folder) if single_sign_on else ""}
    }}{hosts}
}}
""")

    def start(self):
        self.process = start(["nginx", "-c", self.folder / "nginx.conf", "-e",
                              self.folder / "error.log"], self.folder / "nginx.out")
        wait_until(lambda: (self.folder / "pid").exists(), f"nginx, see {self.folder}/error.log")
        return self

    def stop(self):
        if self.process:
            stop(self.process)


def with_single_sign_on(example):
    """The example, changed as its comment says: some lines added, one removed."""
    emptied = '    proxy_set_header X-Remote-User "";\n'
    assert example.count(emptied) == 1
    return re.sub(r"^    #     (auth_request|proxy_set_header|include)", r"    \1",
                  example.replace(emptied, ""), flags=re.MULTILINE)
