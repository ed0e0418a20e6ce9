"""The programs of a benchmark and how each is set up.

All proxies: one thread, no log. For HTTP: connections to the origin kept and shared, one
header added (X-Forwarded-For; Host is passed on unchanged). Where a program has a switch
that suits large bodies, both positions take part and the better one counts.
"""

import os
import pathlib
import re
import shutil
import subprocess

from processes import NotStarted, Process

BODIES = {"/64": 64, "/4m": 4 << 20}    # of the origin, where connections are held

PROXY_CPU = 0
LOAD_CPU = 1                    # the load generator and the origin

NGINX = """\
daemon off;
user root;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr error;
events {{ worker_connections 20000; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    keepalive_timeout 600s;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
{rest}
}}
"""

NGINX_ORIGIN = """\
    sendfile on;
    tcp_nopush on;
    open_file_cache max=16 inactive=600s;
    open_file_cache_valid 600s;
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        root {folder}/files;
        location = /64 {{ default_type text/plain; return 200 "{small}"; }}
    }}"""

NGINX_PROXY = """\
    upstream web {{
        server 127.0.0.1:{origin};
        keepalive 128;
        keepalive_requests 1000000000;
    }}
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location / {{
            proxy_pass http://web;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_buffering {buffering};
            proxy_max_temp_file_size 0;
        }}
    }}"""

HAPROXY = """\
global
    nbthread 1
    maxconn 12000
    no strict-limits
defaults
    mode http
    timeout connect 5s
    timeout client 600s
    timeout server 600s
    timeout http-keep-alive 600s
    option http-keep-alive
    option forwardfor
    http-reuse always
{splice}
frontend in
    bind 127.0.0.1:{port} backlog 4096
    default_backend web
backend web
    server origin 127.0.0.1:{origin}
"""

BALANCERD = """\
threads 1
{top}
listen http 127.0.0.1:{port} {{
    to web
    headers x-forwarded
    {trace}
}}
pool web {{
    balance round-robin
    server 127.0.0.1:{origin}
}}
"""

NGINX_STREAM = """\
{module}
daemon off;
user root;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr error;
events {{ worker_connections 20000; }}
stream {{
    access_log off;
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        proxy_pass 127.0.0.1:{origin};
        proxy_timeout 600s;
{rest}
    }}
}}
"""

HAPROXY_TCP = """\
global
    nbthread 1
    maxconn 12000
    no strict-limits
defaults
    mode tcp
    timeout connect 5s
    timeout client 600s
    timeout server 600s
{splice}
frontend in
    bind 127.0.0.1:{port} backlog 4096
    default_backend origin
backend origin
    server origin 127.0.0.1:{origin}
"""

BALANCERD_TCP = """\
threads 1
listen tcp 127.0.0.1:{port} {{
    to origin
}}
pool origin {{
    balance ring
    server 127.0.0.1:{origin}
}}
"""

# Settings of balancerd that write a line for each request.
LOGS = {
    "combined": "access-log combined",
    "json": "access-log json",
    "format": 'access-log format "{peer} {method} {target} {status} {bytes} {time_ms}"',
}

# What is worth knowing about a set-up, for the report.
SETTINGS_TCP = {
    "balancerd": "`threads 1`, `balance ring`",
    "haproxy": "`mode tcp`, `nbthread 1`, `option splice-auto`, no log",
    "haproxy, splice": "the same with `option splice-request` and `option "
                       "splice-response`",
    "nginx": "stream, `worker_processes 1`, no log",
    "nginx, large buffers": "the same and `proxy_buffer_size 256k`",
}
SETTINGS = {
    "balancerd": "`threads 1`, `headers x-forwarded`, `balance round-robin`",
    **{f"balancerd, {kind}": f"the same and `{words}`, to a file in memory"
       for kind, words in LOGS.items()},
    "balancerd, traces": "the same and `trace on`",
    "balancerd, no metrics": "the same and `metrics off`",
    "balancerd, scraped": "the same, `/metrics` read every second",
    "haproxy": "`nbthread 1`, `http-reuse always`, `option http-keep-alive`, "
               "`option forwardfor`, no log",
    "haproxy, splice": "the same and `option splice-response`",
    "nginx": "`worker_processes 1`, upstream `keepalive 128`, `proxy_http_version 1.1`, "
             "`Connection \"\"`, `X-Forwarded-For`, `proxy_buffering on`, no temporary "
             "files, no log",
    "nginx, unbuffered": "the same and `proxy_buffering off`",
}


def write(folder, name, text):
    path = folder / name
    path.write_text(text)
    return path


def program(name):
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    if found is None:
        raise NotStarted(f"{name} is not installed")
    return found


def start_nginx(folder, name, text, port, cpu):
    """The text is a configuration that wants to know its folder."""
    folder = folder / name
    folder.mkdir(parents=True)
    path = write(folder, "nginx.conf", text.replace("{folder}", str(folder)))
    command = [program("nginx"), "-p", folder, "-e", "stderr", "-c", path]
    return Process(command, cpu, port, folder / "log")


def start_origin(folder, port):
    """nginx too: it depends on none of our code, and is the same for all."""
    files = folder / "files"
    files.mkdir()
    for path, size in BODIES.items():
        write(files, path[1:], "x" * size)
    rest = NGINX_ORIGIN.format(port=port, folder=folder, small="x" * BODIES["/64"])
    text = NGINX.format(folder="{folder}", rest=rest)
    return start_nginx(folder, "origin", text, port, LOAD_CPU)


def stream_module():
    """What has nginx load its stream module, where that is a file of its own."""
    where = re.search(r"--modules-path=(\S+)", said([program("nginx"), "-V"]))
    path = pathlib.Path(where.group(1) if where else "/") / "ngx_stream_module.so"
    return f"load_module {path};" if path.exists() else ""


def text_of(name, tcp, folder, ports):
    """The configuration of one of SETTINGS or SETTINGS_TCP."""
    port, origin = ports
    ports = {"port": port, "origin": origin}
    if name.startswith("nginx") and tcp:
        rest = "        proxy_buffer_size 256k;" if name.endswith("buffers") else ""
        return NGINX_STREAM.format(folder="{folder}", rest=rest, module=stream_module(),
                                   **ports)
    if name.startswith("nginx"):
        buffering = "off" if name == "nginx, unbuffered" else "on"
        rest = NGINX_PROXY.format(buffering=buffering, **ports)
        return NGINX.format(folder="{folder}", rest=rest)
    if name.startswith("haproxy") and tcp:
        splice = ("    option splice-request\n    option splice-response"
                  if name == "haproxy, splice" else "    option splice-auto")
        return HAPROXY_TCP.format(splice=splice, **ports)
    if name.startswith("haproxy"):
        splice = "    option splice-response" if name == "haproxy, splice" else ""
        return HAPROXY.format(splice=splice, **ports)
    if tcp:
        return BALANCERD_TCP.format(**ports)
    kind = name.partition(", ")[2]
    top = f"{LOGS[kind]} to {folder / kind}.access" if kind in LOGS else ""
    if kind == "no metrics":
        top = "metrics off"
    return BALANCERD.format(top=top, trace="trace on" if kind == "traces" else "", **ports)


def empty_logs(folder):
    """They are kept in memory, which a run of minutes would fill."""
    for path in folder.glob("*.access"):
        os.truncate(path, 0)


def start_proxy(name, tcp, folder, out, ports):
    """Starts one of SETTINGS, or of SETTINGS_TCP, by its name, on the first port, before
    an origin on the second. NotStarted says why it does not take part."""
    port = ports[0]
    text = text_of(name, tcp, folder, ports)
    stem = name.replace(", ", "-").replace(" ", "-")
    if name.startswith("nginx"):
        return start_nginx(folder, stem, text, port, PROXY_CPU)
    path = write(folder, f"{stem}.conf", text)
    if name.startswith("haproxy"):
        command = [program("haproxy"), "-db", "-f", path]
    else:
        balancerd = out / "balancerd"
        if not balancerd.exists():
            raise NotStarted(f"{balancerd} is not built")
        command = [balancerd, "run", "--socket", folder / f"{port}.sock",
                   "--state", folder / "state", path]
    process = Process(command, PROXY_CPU, port, path.with_suffix(".log"))
    if name.endswith(", scraped"):
        process.metrics = folder / f"{port}.sock"
    return process


def said(command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def versions():
    """What takes part, as each program calls itself."""
    found = {"balancerd": said(["git", "describe", "--always", "--dirty"]).strip()}
    for name, option in (("haproxy", "-v"), ("nginx", "-v"), ("nutcracker", "-V"),
                         ("redis-server", "-v")):
        try:
            number = re.search(r"\d+\.\d+\.\d+[-\w+]*", said([program(name), option]))
            found[name] = number.group() if number else "unknown"
        except NotStarted:
            continue
    return found


def machine():
    cpu = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    kernel = os.uname()
    return (f"{cpu.group(1) if cpu else kernel.machine}, {os.cpu_count()} CPUs, "
            f"{kernel.sysname} {kernel.release}")
