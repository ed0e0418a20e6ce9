"""What goes wrong around the control interface and the changes made through it."""


def test_a_name_that_does_not_resolve_is_said_once_whatever_changes(stage):
    balancer = stage.balancer([stage.server()])
    control = balancer.control
    assert control.add("nowhere.invalid:80").status == 201
    balancer.logs("name does not resolve.*nowhere.invalid")
    for weight in range(2, 6):
        assert control.set("nowhere.invalid:80", weight=weight).status == 200
        assert control.add("elsewhere.invalid:80").status == 201
        balancer.logs("name does not resolve.*elsewhere.invalid", times=weight - 1)
        assert control.remove("elsewhere.invalid:80").status == 200
    assert len(balancer.logs("name does not resolve.*nowhere.invalid")) == 1
