// Registers a subject, has it approved and posts its first event, at the platform of YJ_URL.
import { Client, type ChangeRequest, type TraceEvent } from '../../clients/typescript/src/client.js';

const { YJ_URL: url = '', YJ_SECRET: secret = '', YJ_PASSWORD: password = '' } = process.env;
const name = '示例客户端家庭农场（TypeScript）';
const gateway = Client.token(url, 'gateway', secret);
const change = (await gateway.create('trace_subject', {
  name, kind: '07', roles: ['10'], region: '610525', contact_name: '示例联系人', contact_phone: '02900000000',
})) as ChangeRequest;
const reviewer = await Client.session(url, 'reviewer', password);
await reviewer.approve('trace_subject', change.id, '资料齐全');
const { value: subject } = await gateway.list('trace_subject', { name }).next();

const event: TraceEvent = {
  domain: 'agri', type: 'harvest', subject: subject.code!,
  event_time: '2026-11-02T10:30:00+08:00', attributes: { plot: '一号地' },
  outputs: [{ code: 'TS-0001', quantity: '120.5', unit: 'KGM', lot: '20261102' }],
};
const [first] = await gateway.capture([event]);
const [again] = await gateway.capture([event]);
console.log(JSON.stringify({ subject: subject.code, event: first!.id, same: again!.id }));
