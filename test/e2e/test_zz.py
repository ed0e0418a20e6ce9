from test_kv_redis import *
def test_x(stage, store, raw):
    store.worker.hold()
    raw.send(b"".join(command("SET", f"key {i}", i) + command("MGET", f"key {i}", "nothing")
                      for i in range(10)))
    store.worker.waits_for(30)
    heir = stage.fake_worker(store.balancer, 2, 2)
    heir.listed()
    store.worker.die()
    raw.sock.settimeout(1)
    try:
        while raw.reader.fill(): pass
    except TimeoutError: pass
    print(bytes(raw.reader.received))
    print(len(heir.requests), [(r.key,r.verb,r.tag) for r in heir.requests], heir.ended, heir.complaints)
    c=stage.kv_client(store.balancer,2); print(c.stats())
    assert len(heir.requests)==30
    assert raw.reader.received.count(b"+OK")==10
    assert raw.reader.received.count(b"$-1")==10
