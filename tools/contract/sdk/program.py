"""Asks a server of the contract with the Python client generated from it: the
server of ANSWERDESK_URL, with the key of ANSWERDESK_KEY. sdks.sh puts it beside
that client.
"""

import io
import json
import os

from answerdesk_client import AuthenticatedClient
from answerdesk_client.api.agents import list_agents
from answerdesk_client.api.knowledge import delete_document, upload_file
from answerdesk_client.api.messages import create_message, stream_message
from answerdesk_client.models import (
    AgentList,
    DeletionReceipt,
    ErrorResponse,
    FileReceipt,
    FileUpload,
    MessageRequest,
    MetadataInput,
    Reply,
    StreamEvent,
    UserInput,
)
from answerdesk_client.types import File, Unset

TEXT = "The shop opens at nine in the morning from Monday to Saturday."
QUESTION = "When does the shop open?"


def check_reply(reply: Reply, document: str) -> None:
    assert reply.outcome == "answer", reply
    assert reply.citations[0].document_id == document, reply
    assert reply.citations[0].quote in TEXT, reply


def main() -> None:
    client = AuthenticatedClient(base_url=os.environ["ANSWERDESK_URL"], token=os.environ["ANSWERDESK_KEY"])

    agents = list_agents.sync(client=client, limit=5)
    assert isinstance(agents, AgentList) and agents.data, agents
    print("agents:", len(agents.data), agents.data[0].name)

    upload = upload_file.sync(
        client=client,
        body=FileUpload(
            file=File(payload=io.BytesIO(TEXT.encode()), file_name="hours.txt", mime_type="text/plain"),
            title="Opening hours",
            external_id="sdk-python",
            metadata=json.dumps({"from": "python"}),
        ),
    )
    assert isinstance(upload, FileReceipt), upload
    document = upload.document
    assert document.title == "Opening hours" and not isinstance(document.metadata, Unset), document
    assert document.metadata["from"] == "python", document
    print("uploaded:", document.id, document.kind)

    metadata = MetadataInput()
    metadata["from"] = "python"
    reply = create_message.sync(
        client=client, body=MessageRequest(message=QUESTION, user=UserInput(id="sdk-python"), metadata=metadata)
    )
    assert isinstance(reply, Reply), reply
    check_reply(reply, document.id)
    print("reply:", reply.outcome, reply.confidence.score, reply.text)

    body = stream_message.sync(client=client, body=MessageRequest(message=QUESTION))
    assert isinstance(body, str), body
    events = [StreamEvent.from_dict(json.loads(line[6:])) for line in body.splitlines() if line.startswith("data: ")]
    shown = "".join(e.delta for e in events if not isinstance(e.delta, Unset))
    last = events[-1]
    assert last.type_ == "message.completed" and not isinstance(last.reply, Unset), last
    assert shown == last.reply.text, shown
    check_reply(last.reply, document.id)
    print("streamed:", len(events), "events", shown)

    receipt = delete_document.sync(document.id, client=client)
    assert isinstance(receipt, DeletionReceipt), receipt
    assert receipt.id == document.id and receipt.kind == "document", receipt
    print("deleted:", receipt.kind, receipt.id)

    again = delete_document.sync_detailed(document.id, client=client)
    assert isinstance(again.parsed, ErrorResponse), again
    assert again.status_code == 404 and again.parsed.error.code == "not_found", again
    print("again:", int(again.status_code), again.parsed.error.code)


main()
