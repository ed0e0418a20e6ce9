"""Well-formed requests as bytes."""

GET = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n"


def get(target, *fields, version="1.1"):
    lines = [f"GET {target} HTTP/{version}", "Host: test", *fields, "", ""]
    return "\r\n".join(lines).encode("latin-1")


def post(body, *fields, method="POST"):
    lines = [f"{method} / HTTP/1.1", "Host: test", f"Content-Length: {len(body)}",
             *fields, "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


def post_chunked(*chunks):
    return (b"POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n"
            + chunks_of(*chunks))


def chunks_of(*chunks, trailers=b""):
    """A chunked body; trailers are whole lines."""
    data = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    return data + b"0\r\n" + trailers + b"\r\n"
