/** What the interface answers, where its description leaves it to the domain. */

export interface Me {
  user: string;
  name: string;
  organization: string;
  subject: { id: string } | null;
  region: string | null;
  permissions: string[];
  csrf: string | null;
  account: string;
  administrator: 'system' | 'security' | 'audit' | null;
  /** What is still missing before anything can be done. */
  next: 'second_factor' | 'bind_factor' | 'change_password' | null;
}

export type FieldKind = 'text' | 'int' | 'decimal' | 'bool' | 'time' | 'date' | 'id' | 'code' | 'codes' | 'region' | 'json';
export interface Field {
  name: string;
  label: string;
  kind: FieldKind;
  codes: [string, string][];
  references: string | null;
  filter: 'none' | 'exact' | 'prefix' | 'contains' | 'name' | 'range';
  sortable: boolean;
  optional: boolean;
  /** When it must be filled in although it may be absent. */
  need: string | null;
  computed: boolean;
  max: number;
  class: 'public' | 'internal' | 'sensitive' | 'personal';
  hint: string;
}
export interface Entity {
  table: string;
  title: string;
  path: string;
  reviewed: boolean;
  removable: boolean;
  importable: boolean;
  /** The code field that says which further columns files of its records have. */
  spread_by: string | null;
  fields: Field[];
}
export interface Meta {
  platform: { name: string; operator: string; profile: string };
  entities: Entity[];
}

export type Stored = { id: string; version: number } & Record<string, unknown>;
export interface Page<T> {
  items: T[];
  next: string | null;
  /** What the records referred to are called, by their identifiers. */
  names?: Record<string, string>;
  total?: { count: number; more: boolean } | null;
}

export interface ChangeRequest {
  id: string;
  entity: string;
  record: string | null;
  base_version: number;
  state: string;
  body: Record<string, unknown>;
  submitted_by: string;
  submitted_at: string;
  decided_by: string | null;
  decided_at: string | null;
  comment: string | null;
  before?: Record<string, unknown> | null;
  /** What the records it refers to are called. */
  names?: Record<string, string>;
  diff?: Record<string, [unknown, unknown]>;
  log?: { at: string; actor: string; action: string; comment: string | null }[];
}

export interface Line {
  code: string;
  quantity?: string | null;
  unit?: string | null;
  product?: string | null;
  lot?: string | null;
  external?: boolean;
}
/** Until when a record is kept; `null` for good. */
export interface Keeping {
  until: string | null;
  /** What a law asks for, as the packs put it. */
  law: { name: string; basis: string; until: string | null } | null;
}
export interface TraceEvent {
  kept?: Keeping;
  /** Names of personal attributes that are shown for a reason only. */
  personal?: string[];
  /** Names of attributes that are 商业秘密 and above the reader's clearance. Lists name none and leave out all. */
  sensitive?: string[];
  /** Names of sealed attributes that nobody can open any more. */
  damaged?: string[];
  /** How far its price is from what the same goods cost, where that is far. */
  unusual_price?: UnusualPrice | null;
  id: string;
  domain: string;
  type: string;
  type_name: string | null;
  stage: string;
  event_time: string;
  recorded_at: string;
  recorded_by: string;
  subject: { id: string; code: string; name: string } | null;
  product: { id: string; code: string; name: string } | null;
  lot: string | null;
  /** Where its subject lay when it was registered; where it happened is its place. */
  region: string;
  inputs: Line[];
  outputs: Line[];
  attributes: Record<string, unknown>;
  source: string;
  state: string;
  anchor: string;
  held_reason: string | null;
  correction_of: string | null;
  correction_reason: string | null;
  /** Whether it takes the event it corrects back, with nothing in its place. */
  withdraws: boolean;
  superseded_by: string | null;
  decision_comment: string | null;
  /** Version of the domain pack it was recorded under. */
  pack_version: string;
  counterparty: string | null;
  /** What the counterparty is called, where that is no secret. */
  counterparty_name: string | null;
  external_id: string | null;
  documents: { type: string; no: string }[];
  evidence: { name: string; sm3: string }[];
  place: { region: string; address?: string | null; lon?: string | null; lat?: string | null } | null;
  integrity?: {
    intact: boolean;
    finding: string;
    height: number | null;
    differences: { field: string; anchored: unknown; found: unknown }[];
  };
}

export interface Party {
  id: string;
  code: string | null;
  name: string | null;
}

/** On which side of the median of so many prices of the same goods within 30 days, and how many times that. */
export interface UnusualPrice {
  side: 'above' | 'below';
  /** Told to who may know what the goods cost in the province. */
  times: string | null;
  compared: number;
}
/** 异常单价: an event with such a price. */
export interface UnusualEvent extends UnusualPrice {
  event: string;
  event_time: string;
  subject: Party;
  goods: { code: string; name: string | null };
  /** What the prices are for one of. */
  unit: string;
  /** In yuan; neither is told to who is not cleared for it. */
  price: string | null;
  median: string | null;
}
/** 按月报送: how the events of a month came, of one subject in one domain. */
export interface MonthReport {
  id: string;
  subject: Party;
  domain: string;
  domain_name: string;
  month: string;
  /** The last day on which they might come. */
  due: string;
  events: number;
  /** Of them, those of the hour before the deadline, and those after it. */
  last_hour: number;
  late: number;
  state: string;
}
/** 停报与停业: who says nothing any more. */
export interface QuietReporter {
  id: string;
  state: string;
  subject: Party | null;
  merchant: Party | null;
  region: string;
  region_name: string | null;
  last_event_time: string | null;
  /** Since then; nothing where there never was an event. */
  days: number | null;
  found_at: string;
}

/** What both parties said of one transaction. */
export interface TraceMatch {
  id: string;
  opened_at: string;
  domain: string;
  giver: Party;
  receiver: Party;
  /** In the form that both parties' are compared in. */
  voucher: string | null;
  /** As one of them wrote it. */
  voucher_written: string | null;
  batch: string;
  unit: string;
  given: string;
  received: string;
  given_on: string | null;
  received_on: string | null;
  state: string;
  /** The events within reach that say so, the first ones. */
  given_events: { id: string }[];
  received_events: { id: string }[];
}

export interface PackField {
  name: string;
  label: string;
  kind: 'text' | 'int' | 'decimal' | 'result' | 'date' | 'time' | 'code' | 'bool';
  required: boolean;
  codes?: [string, string][];
  min?: string;
  max?: string;
  max_length?: number;
  hint?: string;
  /** What is not everybody's to read: who somebody is, or 商业秘密 such as prices. */
  class?: 'personal' | 'sensitive';
}
/** A paper that an event type demands. */
export interface DocumentDemand {
  name: string;
  any_of: string[];
  lacking: 'refuse' | 'review' | 'note';
  registered?: boolean;
}
/** What an event type asks for because of what its goods are. */
export interface GoodsRule {
  name: string;
  kind: 'filled' | 'output_max' | 'no_more' | 'marked';
  /** The beginnings of the codes of classes that it is for; of all where there are none. */
  classes?: string[];
  /** The attribute of the product that it depends on, and the values that it is for. */
  product?: string;
  product_is?: string[];
  /** What must be filled in. */
  fields?: string[];
}
export interface PackEvent {
  code: string;
  name: string;
  movement?: string;
  /** 包装关联：装入包装，或拆包装 */
  packing?: 'pack' | 'unpack';
  fields: PackField[];
  loss_max_percent?: string;
  inputs: { min: number; max: number; mode: 'none' | 'consume' | 'observe' };
  outputs: { min: number; max: number };
  rules?: { name: string; kind: string }[];
  goods_rules?: GoodsRule[];
  documents?: DocumentDemand[];
}
export interface Pack {
  code: string;
  name: string;
  version: string;
  effective_on: string;
  stages: { stage: string; events: PackEvent[] }[];
  /** What its products hold besides what all hold. */
  product_fields?: PackField[];
  /** Whether new records may be written in it. */
  accepts: boolean;
}

/** Who holds what an order covers. */
export interface OrderSubject {
  subject_id: string | null;
  name: string | null;
  region_name: string | null;
  contact_name: string | null;
  contact_phone: string | null;
  unit: string;
  units: number;
  held: string;
}
export interface UnitOrders {
  quality: string | null;
  items: {
    id: string;
    kind_name: string;
    authority: string;
    document_no: string | null;
    reason: string;
    since: string;
    state: string;
    lifted_at: string | null;
  }[];
}
export interface UnitBalance {
  accounts: { unit: string; opening: string; closing: string; losses: string; consistent: boolean }[];
  items: { event: string; type_name: string | null; name: string; side: string; quantity: string | null; event_time: string }[];
  /** 分持: who holds how much, where several do. */
  holders: { subject_id: string; subject: string; quantity: string }[];
}
export interface DocumentUses {
  quantity: string | null;
  unit: string | null;
  used: string;
  remaining: string | null;
  items: { source: string; number: string | null; side: string; quantity: string }[];
  integrity: { intact: boolean; finding: string; since: string; height: number | null };
}
export interface ChainObject {
  code: string;
  product_name: string | null;
  lot: string | null;
  unit: string;
  produced: string;
  consumed: string;
  held: string;
  state: string;
  quality: string | null;
  stage: string;
  subject_id: string;
  subject: string | null;
  /** 分持: who holds how much, where several do. */
  holders?: { subject_id: string; subject: string | null; quantity: string }[];
  share: string | null;
  role: string;
  external: boolean;
}
export interface ChainEvent {
  id: string;
  type: string;
  type_name: string | null;
  stage: string;
  subject_id: string;
  event_time: string;
  region_name: string;
  inputs: Line[];
  outputs: Line[];
  loss: string | null;
  loss_rate: string | null;
  loss_outlier: boolean;
  anchor: string | null;
  observes: boolean;
  verdict: string | null;
}
export interface ChainSubject {
  id: string;
  code: string;
  name: string;
  region: string;
  region_name: string;
  lon: string | null;
  lat: string | null;
  contact_name: string | null;
  contact_phone: string | null;
  events: number;
}
export interface FlowLine {
  upstream: string;
  upstream_code: string;
  upstream_region: string;
  downstream: string;
  downstream_code: string;
  downstream_region: string;
  stage: string;
  product_name: string | null;
  lot: string | null;
  code: string;
  quantity: string;
  unit: string;
  event_time: string;
  document: string | null;
  contact_name: string | null;
  contact_phone: string | null;
}
export interface Holding {
  code: string;
  quantity: string;
  unit: string;
  subject: string;
  subject_id: string;
  share: string;
  state?: string;
  equivalent?: string;
}
export interface Chain {
  code: string;
  direction: string;
  generated_at: string;
  truncated: boolean;
  own_steps: boolean;
  root: ChainObject;
  objects: ChainObject[];
  beside: ChainObject[];
  events: ChainEvent[];
  flows: { from: string; to: string; event: string; quantity: string | null; unit: string }[];
  subjects: ChainSubject[];
  summary: {
    objects: number;
    events: number;
    subjects: number;
    held: string | null;
    gone: string | null;
    equivalent: string | null;
    broken: number;
    unit: string;
  };
  freeze: { total: string; items: Holding[] };
  gone: { total: string; equivalent: string; items: Holding[] };
  broken: { code: string; reason: string }[];
  flow_table: FlowLine[];
}

export interface LedgerStatus {
  chain_id: string;
  organization: string;
  height: number;
  tree_size: number;
  tree_root: string | null;
  latest_block_at: string | null;
  pending: number;
  packed: number;
  confirmed: number;
  /** Records that wait for their organisation's own signature. */
  unsigned?: number;
  /** Records that wait for more than a minute. */
  late?: number;
  oldest_pending_at?: string | null;
  failing?: { since: string; why: string } | null;
  witnessed_size?: number | null;
  witnessed_height?: number | null;
  keys?: number;
  latency_ms_p50: number | null;
  latency_ms_p99: number | null;
}
/** A key as blocks hold it. */
export interface ChainKey {
  org: string;
  kid: string;
  key: string;
  usage: string;
  valid_from: number;
  revoked_at: number | null;
  certificate: string | null;
}
export interface Block {
  height: number;
  block_id: string;
  time: string;
  submissions: number;
  records: number;
  tree_size: number;
  tree_root: string;
}
export interface Anchor {
  id: string;
  network: string;
  contract: string;
  state: 'waiting' | 'sent' | 'confirmed' | 'failed';
  tree_size: number;
  height: number;
  tx: string | null;
  block_number: number | null;
  depth: number | null;
  attempts: number;
  last_error: string | null;
  created_at: string;
  confirmed_at: string | null;
}
/** What stands outside; the settings are there where anchoring is on. */
export type Anchors = Page<Anchor> &
  (
    | { configured: false }
    | {
        configured: true;
        network: string;
        contract: string;
        account: string;
        confirmations: number;
        every_minutes: number;
        every_blocks: number;
      }
  );
export interface BlockDetail extends Block {
  prev: string;
  certificate: { round: number; votes: string[]; valid: boolean };
  contents: { org: string; seq: number; count: number; kid: string; root: string; attested_by: string }[];
}
export interface Verdict {
  ok: boolean;
  conclusion: string;
  steps: { id: string; title: string; ok: boolean; detail: string }[];
}

export interface Job {
  id: string;
  kind: string;
  title: string;
  state: string;
  done: number;
  total: number | null;
  succeeded: number;
  failed: number;
  result: { detail?: string; wrong?: number; stopped?: string } | null;
  file: string | null;
  created_at: string;
  finished_at: string | null;
  decided_by: string | null;
  decision: string | null;
}
export interface JobRow {
  row: number;
  /** Where it stands in the file that was sent. */
  place: string | null;
  outcome: string;
  record: string | null;
  detail: string | null;
  field: string | null;
  errors: { field: string; detail: string }[] | null;
  source: Record<string, string>;
}
export interface AuditEntry {
  id: string;
  at: string;
  actor: string;
  action: string;
  entity: string;
  record: string;
  changes: Record<string, unknown>;
  /** Only in the trail as the audit administrator sees it. */
  actor_kind?: string;
  address?: string;
  agent?: string;
  result?: string;
  source?: string;
  session?: string;
  request_id?: string;
  lane?: number;
  seq?: number;
  digest?: string;
}
export interface Region {
  code: string;
  name: string;
  full_name: string;
  level: number;
  zone: boolean;
  lon: string | null;
  lat: string | null;
}
export interface Workbench {
  todo: { kind: string; title: string; count: number }[];
  figures: { kind: string; title: string; value: number; query: string }[];
  trend: { day: string; events: number }[];
}
