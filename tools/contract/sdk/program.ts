// Asks a server of the contract with the TypeScript client generated from it: the
// server of ANSWERDESK_URL, with the key of ANSWERDESK_KEY. sdks.sh puts it beside
// that client.

import { createMessage, deleteDocument, listAgents, streamMessage, uploadFile } from './client';
import type { Reply, StreamEvent } from './client';
import { createClient } from './client/client';

const text = 'The shop opens at nine in the morning from Monday to Saturday.';
const question = 'When does the shop open?';

function check(ok: unknown, ...what: unknown[]): asserts ok {
  if (!ok) throw new Error(JSON.stringify(what));
}

function checkReply(r: Reply, document: string): void {
  check(r.outcome === 'answer' && r.citations[0]?.document_id === document && text.includes(r.citations[0].quote), r);
}

async function main(): Promise<void> {
  const client = createClient({ baseUrl: process.env.ANSWERDESK_URL ?? '', auth: process.env.ANSWERDESK_KEY ?? '' });

  const agents = await listAgents({ client, query: { limit: 5 }, throwOnError: true });
  check(agents.data.data[0], agents.data);
  console.log('agents:', agents.data.data.length, agents.data.data[0].name);

  const upload = await uploadFile({
    client,
    body: {
      file: new File([text], 'hours.txt', { type: 'text/plain' }),
      title: 'Opening hours',
      external_id: 'sdk-typescript',
      metadata: JSON.stringify({ from: 'typescript' }),
    },
    throwOnError: true,
  });
  const document = upload.data.document;
  check(document.title === 'Opening hours' && document.metadata?.['from'] === 'typescript', document);
  console.log('uploaded:', document.id, document.kind);

  const reply = await createMessage({
    client,
    body: { message: question, user: { id: 'sdk-typescript' }, metadata: { from: 'typescript' } },
    throwOnError: true,
  });
  checkReply(reply.data, document.id);
  console.log('reply:', reply.data.outcome, reply.data.confidence.score, reply.data.text);

  const { stream } = await streamMessage({ client, body: { message: question } });
  let shown = '';
  let events = 0;
  let last: StreamEvent | undefined;
  for await (const data of stream) {
    last = data as unknown as StreamEvent; // it is parsed, and its type is that of the body
    shown += last.delta ?? '';
    events++;
  }
  check(last?.type === 'message.completed' && last.reply && shown === last.reply.text, last);
  checkReply(last.reply, document.id);
  console.log('streamed:', events, 'events', shown);

  const receipt = await deleteDocument({ client, path: { id: document.id }, throwOnError: true });
  check(receipt.data.id === document.id && receipt.data.kind === 'document', receipt.data);
  console.log('deleted:', receipt.data.kind, receipt.data.id);

  const again = await deleteDocument({ client, path: { id: document.id } });
  check(again.response?.status === 404 && again.error?.error.code === 'not_found', again.error);
  console.log('again:', again.response.status, again.error.error.code);
}

main().catch((err: unknown) => {
  console.error(err);
  process.exit(1);
});
