"""A name server for tests, with real messages (dnslib) over UDP and TCP on one port.

What it says may be changed while it runs, by assigning to its members.
"""

import errno
import socket
import socketserver
import threading

from dnslib import AAAA, CNAME, QTYPE, RCODE, RR, SRV, A, DNSRecord


class Record:
    """One SRV record."""

    def __init__(self, target, port, weight=1, priority=1, ttl=1):
        self.target, self.port, self.weight = target, port, weight
        self.priority, self.ttl = priority, ttl

    def answer(self, name):
        return RR(name, QTYPE.SRV, ttl=self.ttl,
                  rdata=SRV(self.priority, self.weight, self.port, self.target))


class NameServer:
    """Answers on self.port of 127.0.0.1.

    services:  name -> list of Record
    addresses: name -> list of numeric addresses
    aliases:   name -> name
    fails:     name -> "NXDOMAIN", "SERVFAIL", "REFUSED", "silence", or bytes that are
               sent behind the head of an answer as they are
    Any other name does not exist.
    """

    UDP_MAX = 512       # what is longer is cut, and has to be asked for over TCP

    def __init__(self):
        self.services, self.addresses, self.aliases, self.fails = {}, {}, {}, {}
        self.asked = []         # (name, type, "udp" or "tcp"), in the order of asking
        self.cuts = False       # each answer over UDP is cut
        self.udp, self.tcp = self.open_pair()
        self.port = self.udp.server_address[1]
        self.threads = [threading.Thread(target=server.serve_forever, args=(0.05,),
                                         daemon=True) for server in (self.udp, self.tcp)]
        for thread in self.threads:
            thread.start()

    def open_pair(self):
        """Both on one port that is free for both."""
        for _ in range(100):
            udp = Datagrams(("127.0.0.1", 0), Datagram)
            try:
                tcp = Connections(udp.server_address, Connection)
            except OSError as error:
                udp.server_close()
                if error.errno != errno.EADDRINUSE:
                    raise
                continue
            udp.owner = tcp.owner = self
            return udp, tcp
        raise RuntimeError("no port is free for UDP and TCP")

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def close(self):
        for server in (self.udp, self.tcp):
            server.shutdown()
            server.server_close()
        for thread in self.threads:
            thread.join()

    def times_asked(self, name, kind="SRV"):
        return sum(1 for asked in list(self.asked) if asked[:2] == (name, kind))

    def answer(self, question, over):
        """The bytes of an answer, or None: there is none."""
        asked = DNSRecord.parse(question)
        name, kind = str(asked.q.qname).rstrip(".").lower(), QTYPE[asked.q.qtype]
        self.asked.append((name, kind, over))
        reply = asked.reply()
        fails = self.fails.get(name)
        if fails == "silence":
            return None
        if isinstance(fails, bytes):
            packed = bytearray(reply.pack())
            packed[7] = 3       # records, it says
            return bytes(packed) + fails
        if fails is not None:
            reply.header.rcode = getattr(RCODE, fails)
        else:
            self.fill(reply, name, kind)
        packed = reply.pack()
        if over == "udp" and (self.cuts or len(packed) > self.UDP_MAX):
            cut = asked.reply()
            cut.header.tc = 1
            packed = cut.pack()
        return packed

    def fill(self, reply, name, kind):
        if name in self.aliases:
            reply.add_answer(RR(name, QTYPE.CNAME, ttl=1, rdata=CNAME(self.aliases[name])))
            name = self.aliases[name]
        known = name in self.services or name in self.addresses
        if not known:
            reply.header.rcode = RCODE.NXDOMAIN
        if kind == "SRV":
            for record in self.services.get(name, []):
                reply.add_answer(record.answer(name))
        for address in self.addresses.get(name, []):
            is_6 = ":" in address
            if kind == ("AAAA" if is_6 else "A"):
                data = AAAA(address) if is_6 else A(address)
                reply.add_answer(RR(name, getattr(QTYPE, kind), ttl=1, rdata=data))


class Datagrams(socketserver.ThreadingUDPServer):
    daemon_threads = True
    max_packet_size = 65535


class Connections(socketserver.ThreadingTCPServer):
    daemon_threads = True


class Datagram(socketserver.BaseRequestHandler):
    def handle(self):
        question, server = self.request
        answer = self.server.owner.answer(question, "udp")
        if answer is not None:
            server.sendto(answer, self.client_address)


class Connection(socketserver.StreamRequestHandler):
    def handle(self):
        while True:
            size = self.rfile.read(2)
            if len(size) < 2:
                return
            question = self.rfile.read(int.from_bytes(size, "big"))
            answer = self.server.owner.answer(question, "tcp")
            if answer is None:
                return
            self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.wfile.write(len(answer).to_bytes(2, "big") + answer)
