"""Registers a subject, has it approved and posts its first event, at the platform of YJ_URL."""

import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "clients/python"))
from yuanjian import Client

url, name = os.environ["YJ_URL"], "示例客户端家庭农场（Python）"
gateway = Client.token(url, "gateway", os.environ["YJ_SECRET"])
change = gateway.create("trace_subject", {
    "name": name, "kind": "07", "roles": ["10"], "region": "610525",
    "contact_name": "示例联系人", "contact_phone": "02900000000",
})
reviewer = Client.session(url, "reviewer", os.environ["YJ_PASSWORD"])
reviewer.approve("trace_subject", change["id"], "资料齐全")
[subject] = gateway.list("trace_subject", name=name)

event = {
    "domain": "agri", "type": "harvest", "subject": subject["code"],
    "event_time": "2026-11-02T10:30:00+08:00", "attributes": {"plot": "一号地"},
    "outputs": [{"code": "PY-0001", "quantity": "120.5", "unit": "KGM", "lot": "20261102"}],
}
first, again = gateway.capture(event)[0], gateway.capture(event)[0]
print(json.dumps({"subject": subject["code"], "event": first["id"], "same": again["id"]}))
