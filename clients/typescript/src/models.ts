/** 由 cargo xtask clients 生成，请勿手改。 */

/** 凭证 */
export interface Document {
  /** 编号 */
  no: string;
  /** 类型 */
  type: string;
}

/** 证据文件 */
export interface Evidence {
  /** 文件名 */
  name: string;
  /** SM3 摘要，64 位小写十六进制 */
  sm3: string;
}

/** 投入 */
export interface Input {
  /** 追溯码 */
  code: string;
  /** 来源于平台之外 */
  external?: boolean;
  /** 数量，十进制字符串；检测、监管类可不填 */
  quantity?: string | null;
  /** 计量单位，UN/CEFACT 代码 */
  unit?: string | null;
}

/** 产出 */
export interface Output {
  /** 追溯码 */
  code: string;
  /** 批次号 */
  lot?: string | null;
  /** 产品代码 */
  product?: string | null;
  /** 数量，十进制字符串 */
  quantity: string;
  /** 计量单位 */
  unit: string;
}

/** 地点 */
export interface Place {
  /** 地址 */
  address?: string | null;
  /** 纬度 */
  lat?: string | null;
  /** 经度 */
  lon?: string | null;
  /** 行政区划代码 */
  region: string;
}

/** 追溯事件 */
export interface TraceEvent {
  /** 领域包规定的字段 */
  attributes?: Record<string, unknown>;
  /** 被更正事件的标识 */
  correction_of?: string | null;
  /** 更正原因 */
  correction_reason?: string | null;
  /** 交易对方的代码，现用或旧代码；登记为现用代码 */
  counterparty?: string | null;
  /** 凭证 */
  documents?: Document[];
  /** 领域代码，如 agri */
  domain: string;
  /** 发生时间，带时区偏移 */
  event_time: string;
  /** 证据文件 */
  evidence?: Evidence[];
  /** 来源系统自己的编号 */
  external_id?: string | null;
  /** 投入 */
  inputs?: Input[];
  /** 产出 */
  outputs?: Output[];
  /** 地点 */
  place?: Place | null;
  /** 主体的代码：现用代码，或其任何一个旧代码；登记为现用代码 */
  subject: string;
  /** 事件类型，如 harvest */
  type: string;
  /** 撤销：被更正的事件没有发生过，也没有别的取代它；不写投入、产出与字段 */
  withdraws?: boolean;
}

/** 追溯主体（提交） */
export interface TraceSubjectInput {
  /** 地址 */
  address?: string | null;
  /** 主体代码 */
  code?: string | null;
  /** 联系人 */
  contact_name: string;
  /** 联系电话 */
  contact_phone: string;
  /** 坐标系 */
  datum?: 'cgcs2000' | 'gcj02' | 'bd09' | null;
  /** 原坐标系 */
  datum_given?: 'cgcs2000' | 'gcj02' | 'bd09' | null;
  /** 电子邮箱 */
  email?: string | null;
  /** 备案时间 */
  filed_on?: string | null;
  /** 行业代码 */
  industry_code?: string | null;
  /** 主体类型 */
  kind: '01' | '02' | '03' | '04' | '05' | '06' | '07' | '08' | '09' | '99';
  /** 纬度 */
  lat?: string | null;
  /** 法定代表人 */
  legal_rep?: string | null;
  /** 法定代表人证件号码 */
  legal_rep_id?: string | null;
  /** 法定代表人证件类型 */
  legal_rep_id_kind?: '111' | '114' | '414' | '511' | '516' | '553' | '990' | null;
  /** 许可证号 */
  licence_no?: string | null;
  /** 经度 */
  lon?: string | null;
  /** 主体名称 */
  name: string;
  /** 节点编码 */
  node_code?: string | null;
  /** 节点名称 */
  node_name?: string | null;
  /** 拆分自 */
  predecessor_id?: string | null;
  /** 产品种类 */
  product_kinds?: string[] | null;
  /** 所属区域 */
  region: string;
  /** 环节角色 */
  roles: ('10' | '11' | '12' | '13' | '20' | '21' | '22' | '23' | '30' | '31' | '32' | '33' | '34' | '35' | '36' | '37' | '40' | '41' | '50' | '60' | '61' | '62' | '63' | '70' | '99')[];
  /** 来源系统 */
  source_system?: string | null;
  /** 主体状态 */
  status?: '40' | '60' | '70' | '80' | null;
  /** 并入主体 */
  successor_id?: string | null;
}

/** 追溯主体 */
export interface TraceSubject {
  /** 地址 */
  address: string | null;
  /** 主体代码 */
  code: string | null;
  /** 联系人 */
  contact_name: string;
  /** 联系电话 */
  contact_phone: string;
  /** created_at */
  created_at: string;
  /** created_by */
  created_by: string;
  /** 坐标系 */
  datum: 'cgcs2000' | 'gcj02' | 'bd09' | null;
  /** 原坐标系 */
  datum_given: 'cgcs2000' | 'gcj02' | 'bd09' | null;
  /** 电子邮箱 */
  email: string | null;
  /** 备案时间 */
  filed_on: string | null;
  /** id */
  id: string;
  /** 行业代码 */
  industry_code: string | null;
  /** 主体类型 */
  kind: '01' | '02' | '03' | '04' | '05' | '06' | '07' | '08' | '09' | '99';
  /** label */
  label: number;
  /** 纬度 */
  lat: string | null;
  /** 法定代表人 */
  legal_rep: string | null;
  /** 法定代表人证件号码 */
  legal_rep_id: string | null;
  /** 法定代表人证件类型 */
  legal_rep_id_kind: '111' | '114' | '414' | '511' | '516' | '553' | '990' | null;
  /** 许可证号 */
  licence_no: string | null;
  /** 经度 */
  lon: string | null;
  /** 主体名称 */
  name: string;
  /** 节点编码 */
  node_code: string | null;
  /** 节点名称 */
  node_name: string | null;
  /** 拆分自 */
  predecessor_id: string | null;
  /** 产品种类 */
  product_kinds: string[] | null;
  /** 所属区域 */
  region: string;
  /** 环节角色 */
  roles: ('10' | '11' | '12' | '13' | '20' | '21' | '22' | '23' | '30' | '31' | '32' | '33' | '34' | '35' | '36' | '37' | '40' | '41' | '50' | '60' | '61' | '62' | '63' | '70' | '99')[];
  /** 来源系统 */
  source_system: string | null;
  /** 主体状态 */
  status: '40' | '60' | '70' | '80' | null;
  /** 并入主体 */
  successor_id: string | null;
  /** updated_at */
  updated_at: string;
  /** updated_by */
  updated_by: string;
  /** version */
  version: number;
}

/** 许可证照（提交） */
export interface LicenceInput {
  /** 发证机关 */
  issuer: string;
  /** 证照类型 */
  kind: '101' | '201' | '202' | '203' | '204' | '205' | '206' | '301' | '302' | '303' | '401' | '402' | '403' | '404' | '405' | '406' | '407' | '501' | '502' | '503' | '601' | '602' | '603' | '604' | '701' | '702' | '801' | '901' | '902' | '903' | '990';
  /** 证照编号 */
  no: string;
  /** 所属区域 */
  region?: string | null;
  /** 追溯主体 */
  subject_id: string;
  /** 有效期自 */
  valid_from: string;
  /** 有效期至 */
  valid_to?: string | null;
}

/** 许可证照 */
export interface Licence {
  /** created_at */
  created_at: string;
  /** created_by */
  created_by: string;
  /** id */
  id: string;
  /** 发证机关 */
  issuer: string;
  /** 证照类型 */
  kind: '101' | '201' | '202' | '203' | '204' | '205' | '206' | '301' | '302' | '303' | '401' | '402' | '403' | '404' | '405' | '406' | '407' | '501' | '502' | '503' | '601' | '602' | '603' | '604' | '701' | '702' | '801' | '901' | '902' | '903' | '990';
  /** label */
  label: number;
  /** 证照编号 */
  no: string;
  /** 所属区域 */
  region: string | null;
  /** 追溯主体 */
  subject_id: string;
  /** updated_at */
  updated_at: string;
  /** updated_by */
  updated_by: string;
  /** 有效期自 */
  valid_from: string;
  /** 有效期至 */
  valid_to: string | null;
  /** version */
  version: number;
}

/** 经营场所（提交） */
export interface SiteInput {
  /** 地址 */
  address: string;
  /** 坐标系 */
  datum?: 'cgcs2000' | 'gcj02' | 'bd09' | null;
  /** 原坐标系 */
  datum_given?: 'cgcs2000' | 'gcj02' | 'bd09' | null;
  /** 是否在用 */
  in_use: boolean;
  /** 场所类型 */
  kind: 'office' | 'plant' | 'base' | 'slaughter' | 'warehouse' | 'shop' | 'stall' | 'laboratory' | 'other';
  /** 纬度 */
  lat?: string | null;
  /** 经度 */
  lon?: string | null;
  /** 场所名称 */
  name: string;
  /** 所在节点 */
  node_id?: string | null;
  /** 所在区域 */
  region: string;
  /** 主体代码 */
  subject_code: string;
  /** 追溯主体 */
  subject_id?: string | null;
}

/** 经营场所 */
export interface Site {
  /** 地址 */
  address: string;
  /** created_at */
  created_at: string;
  /** created_by */
  created_by: string;
  /** 坐标系 */
  datum: 'cgcs2000' | 'gcj02' | 'bd09' | null;
  /** 原坐标系 */
  datum_given: 'cgcs2000' | 'gcj02' | 'bd09' | null;
  /** id */
  id: string;
  /** 是否在用 */
  in_use: boolean;
  /** 场所类型 */
  kind: 'office' | 'plant' | 'base' | 'slaughter' | 'warehouse' | 'shop' | 'stall' | 'laboratory' | 'other';
  /** label */
  label: number;
  /** 纬度 */
  lat: string | null;
  /** 经度 */
  lon: string | null;
  /** 场所名称 */
  name: string;
  /** 所在节点 */
  node_id: string | null;
  /** 所在区域 */
  region: string;
  /** 主体代码 */
  subject_code: string;
  /** 追溯主体 */
  subject_id: string | null;
  /** updated_at */
  updated_at: string;
  /** updated_by */
  updated_by: string;
  /** version */
  version: number;
}

/** 节点（提交） */
export interface NodeInput {
  /** 地址 */
  address?: string | null;
  /** 节点编码 */
  code: string;
  /** 坐标系 */
  datum?: 'cgcs2000' | 'gcj02' | 'bd09' | null;
  /** 原坐标系 */
  datum_given?: 'cgcs2000' | 'gcj02' | 'bd09' | null;
  /** 备案时间 */
  filed_on?: string | null;
  /** 是否启用 */
  in_use: boolean;
  /** 节点类型 */
  kind: 'wholesale' | 'market' | 'supermarket' | 'slaughter' | 'group' | 'online' | 'logistics' | 'other';
  /** 纬度 */
  lat?: string | null;
  /** 经度 */
  lon?: string | null;
  /** 节点名称 */
  name: string;
  /** 产品种类 */
  product_kinds?: string[] | null;
  /** 所属区域 */
  region: string;
  /** 追溯环节 */
  stage?: 'primary_production' | 'processing' | 'distribution' | 'transport' | 'inspection' | 'supervision' | 'consumption' | null;
  /** 经营主体 */
  subject_id: string;
}

/** 节点 */
export interface Node {
  /** 地址 */
  address: string | null;
  /** 节点编码 */
  code: string;
  /** created_at */
  created_at: string;
  /** created_by */
  created_by: string;
  /** 坐标系 */
  datum: 'cgcs2000' | 'gcj02' | 'bd09' | null;
  /** 原坐标系 */
  datum_given: 'cgcs2000' | 'gcj02' | 'bd09' | null;
  /** 备案时间 */
  filed_on: string | null;
  /** id */
  id: string;
  /** 是否启用 */
  in_use: boolean;
  /** 节点类型 */
  kind: 'wholesale' | 'market' | 'supermarket' | 'slaughter' | 'group' | 'online' | 'logistics' | 'other';
  /** label */
  label: number;
  /** 纬度 */
  lat: string | null;
  /** 经度 */
  lon: string | null;
  /** 节点名称 */
  name: string;
  /** 产品种类 */
  product_kinds: string[] | null;
  /** 所属区域 */
  region: string;
  /** 追溯环节 */
  stage: 'primary_production' | 'processing' | 'distribution' | 'transport' | 'inspection' | 'supervision' | 'consumption' | null;
  /** 经营主体 */
  subject_id: string;
  /** updated_at */
  updated_at: string;
  /** updated_by */
  updated_by: string;
  /** version */
  version: number;
}

/** 商户（提交） */
export interface MerchantInput {
  /** 摊位号 */
  booth?: string | null;
  /** 商户编码 */
  code: string;
  /** 联系人 */
  contact_name: string;
  /** 联系电话 */
  contact_phone: string;
  /** 品种 */
  goods: string[];
  /** 是否在营 */
  in_use: boolean;
  /** 商户类型 */
  kind: 'individual' | 'enterprise' | 'cooperative' | 'farmer' | 'other';
  /** 商户名称 */
  name: string;
  /** 注册所在节点 */
  node_id: string;
  /** 市场经营主体 */
  operator_id?: string | null;
  /** 所属区域 */
  region?: string | null;
  /** 注册时间 */
  registered_on?: string | null;
  /** 追溯环节 */
  stage?: 'primary_production' | 'processing' | 'distribution' | 'transport' | 'inspection' | 'supervision' | 'consumption' | null;
  /** 对应追溯主体 */
  subject_id?: string | null;
}

/** 商户 */
export interface Merchant {
  /** 摊位号 */
  booth: string | null;
  /** 商户编码 */
  code: string;
  /** 联系人 */
  contact_name: string;
  /** 联系电话 */
  contact_phone: string;
  /** created_at */
  created_at: string;
  /** created_by */
  created_by: string;
  /** 品种 */
  goods: string[];
  /** id */
  id: string;
  /** 是否在营 */
  in_use: boolean;
  /** 商户类型 */
  kind: 'individual' | 'enterprise' | 'cooperative' | 'farmer' | 'other';
  /** label */
  label: number;
  /** 商户名称 */
  name: string;
  /** 注册所在节点 */
  node_id: string;
  /** 市场经营主体 */
  operator_id: string | null;
  /** 所属区域 */
  region: string | null;
  /** 注册时间 */
  registered_on: string | null;
  /** 追溯环节 */
  stage: 'primary_production' | 'processing' | 'distribution' | 'transport' | 'inspection' | 'supervision' | 'consumption' | null;
  /** 对应追溯主体 */
  subject_id: string | null;
  /** updated_at */
  updated_at: string;
  /** updated_by */
  updated_by: string;
  /** version */
  version: number;
}

/** 重要产品（提交） */
export interface ProductInput {
  /** 批准文号 */
  approval_no?: string | null;
  /** 批准有效期至 */
  approval_until?: string | null;
  /** 产品属性 */
  attributes?: Record<string, unknown>;
  /** 品牌 */
  brand?: string | null;
  /** 产品分类 */
  catalogue_code?: string | null;
  /** 目录版本 */
  catalogue_version?: number | null;
  /** 产品类别 */
  category?: string | null;
  /** 产品代码 */
  code: string;
  /** 产品领域 */
  domain: string;
  /** 通用名称 */
  generic_name?: string | null;
  /** 商品条码 */
  gtin?: string | null;
  /** 内装数量 */
  inner_count?: number | null;
  /** 内装产品 */
  inner_id?: string | null;
  /** 企业货号 */
  item_code?: string | null;
  /** 生产企业 */
  maker_id?: string | null;
  /** 型号 */
  model?: string | null;
  /** 产品名称 */
  name: string;
  /** 产地 */
  origin_region?: string | null;
  /** 包装层级 */
  pack_level?: 'item' | 'inner' | 'middle' | 'case' | 'pallet' | 'container' | null;
  /** 领域包版本 */
  pack_version?: string | null;
  /** 召回级别 */
  recall_level?: 'first' | 'second' | 'third' | null;
  /** 所属区域 */
  region: string;
  /** 保质期 */
  shelf_life?: number | null;
  /** 保质期单位 */
  shelf_life_unit?: 'hour' | 'day' | 'month' | 'year' | null;
  /** 规格 */
  spec?: string | null;
  /** 执行标准 */
  standard_no?: string | null;
  /** 产品状态 */
  state?: 'active' | 'suspended' | 'recalling' | null;
  /** 状态理由 */
  state_reason?: string | null;
  /** 状态始于 */
  state_since?: string | null;
  /** 贮存条件 */
  storage?: string | null;
  /** 责任主体 */
  subject_id: string;
  /** 计量单位 */
  unit: string;
}

/** 重要产品 */
export interface Product {
  /** 批准文号 */
  approval_no: string | null;
  /** 批准有效期至 */
  approval_until: string | null;
  /** 产品属性 */
  attributes: Record<string, unknown>;
  /** 品牌 */
  brand: string | null;
  /** 产品分类 */
  catalogue_code: string | null;
  /** 目录版本 */
  catalogue_version: number | null;
  /** 产品类别 */
  category: string | null;
  /** 产品代码 */
  code: string;
  /** created_at */
  created_at: string;
  /** created_by */
  created_by: string;
  /** 产品领域 */
  domain: string;
  /** 通用名称 */
  generic_name: string | null;
  /** 商品条码 */
  gtin: string | null;
  /** id */
  id: string;
  /** 内装数量 */
  inner_count: number | null;
  /** 内装产品 */
  inner_id: string | null;
  /** 企业货号 */
  item_code: string | null;
  /** label */
  label: number;
  /** 生产企业 */
  maker_id: string | null;
  /** 型号 */
  model: string | null;
  /** 产品名称 */
  name: string;
  /** 产地 */
  origin_region: string | null;
  /** 包装层级 */
  pack_level: 'item' | 'inner' | 'middle' | 'case' | 'pallet' | 'container' | null;
  /** 领域包版本 */
  pack_version: string | null;
  /** 召回级别 */
  recall_level: 'first' | 'second' | 'third' | null;
  /** 所属区域 */
  region: string;
  /** 保质期 */
  shelf_life: number | null;
  /** 保质期单位 */
  shelf_life_unit: 'hour' | 'day' | 'month' | 'year' | null;
  /** 规格 */
  spec: string | null;
  /** 执行标准 */
  standard_no: string | null;
  /** 产品状态 */
  state: 'active' | 'suspended' | 'recalling' | null;
  /** 状态理由 */
  state_reason: string | null;
  /** 状态始于 */
  state_since: string | null;
  /** 贮存条件 */
  storage: string | null;
  /** 责任主体 */
  subject_id: string;
  /** 计量单位 */
  unit: string;
  /** updated_at */
  updated_at: string;
  /** updated_by */
  updated_by: string;
  /** version */
  version: number;
}

/** 设备（提交） */
export interface DeviceInput {
  /** 坐标系 */
  datum?: 'cgcs2000' | 'gcj02' | 'bd09' | null;
  /** 原坐标系 */
  datum_given?: 'cgcs2000' | 'gcj02' | 'bd09' | null;
  /** 固件版本 */
  firmware?: string | null;
  /** ICCID */
  iccid?: string | null;
  /** IMEI */
  imei?: string | null;
  /** 是否启用 */
  in_use: boolean;
  /** 安装日期 */
  installed_on?: string | null;
  /** 上报间隔（分钟） */
  interval_minutes?: number | null;
  /** 设备类型 */
  kind: 'scale' | 'scanner' | 'rfid' | 'sensor' | 'locator' | 'camera' | 'gateway' | 'printer' | 'kiosk' | 'other';
  /** 纬度 */
  lat?: string | null;
  /** 本地管理地址 */
  locally_administered?: boolean | null;
  /** 经度 */
  lon?: string | null;
  /** MAC 地址 */
  mac: string;
  /** 生产厂家 */
  maker?: string | null;
  /** 设备型号 */
  model: string;
  /** 安装位置 */
  place?: string | null;
  /** 所属区域 */
  region: string;
  /** 出厂编号 */
  serial_no?: string | null;
  /** 在线状态 */
  state?: 'online' | 'offline' | 'never' | null;
  /** 所属企业 */
  subject_id: string;
  /** 检定有效期至 */
  verified_until?: string | null;
}

/** 设备 */
export interface Device {
  /** created_at */
  created_at: string;
  /** created_by */
  created_by: string;
  /** 坐标系 */
  datum: 'cgcs2000' | 'gcj02' | 'bd09' | null;
  /** 原坐标系 */
  datum_given: 'cgcs2000' | 'gcj02' | 'bd09' | null;
  /** 固件版本 */
  firmware: string | null;
  /** ICCID */
  iccid: string | null;
  /** id */
  id: string;
  /** IMEI */
  imei: string | null;
  /** 是否启用 */
  in_use: boolean;
  /** 安装日期 */
  installed_on: string | null;
  /** 上报间隔（分钟） */
  interval_minutes: number | null;
  /** 设备类型 */
  kind: 'scale' | 'scanner' | 'rfid' | 'sensor' | 'locator' | 'camera' | 'gateway' | 'printer' | 'kiosk' | 'other';
  /** label */
  label: number;
  /** 纬度 */
  lat: string | null;
  /** 本地管理地址 */
  locally_administered: boolean | null;
  /** 经度 */
  lon: string | null;
  /** MAC 地址 */
  mac: string;
  /** 生产厂家 */
  maker: string | null;
  /** 设备型号 */
  model: string;
  /** 安装位置 */
  place: string | null;
  /** 所属区域 */
  region: string;
  /** 出厂编号 */
  serial_no: string | null;
  /** 在线状态 */
  state: 'online' | 'offline' | 'never' | null;
  /** 所属企业 */
  subject_id: string;
  /** updated_at */
  updated_at: string;
  /** updated_by */
  updated_by: string;
  /** 检定有效期至 */
  verified_until: string | null;
  /** version */
  version: number;
}

/** 采集来源策略（提交） */
export interface SourcePolicyInput {
  /** 处理方式 */
  decision: 'auto' | 'manual';
  /** 领域 */
  domain?: string | null;
  /** 策略名称 */
  name: string;
  /** 主体所属区域 */
  region?: string | null;
  /** 来源 */
  source: 'any' | 'form' | 'import' | 'api' | 'device';
  /** 环节 */
  stage?: 'primary_production' | 'processing' | 'distribution' | 'transport' | 'inspection' | 'supervision' | 'consumption' | null;
  /** 主体 */
  subject_id?: string | null;
}

/** 采集来源策略 */
export interface SourcePolicy {
  /** created_at */
  created_at: string;
  /** created_by */
  created_by: string;
  /** 处理方式 */
  decision: 'auto' | 'manual';
  /** 领域 */
  domain: string | null;
  /** id */
  id: string;
  /** label */
  label: number;
  /** 策略名称 */
  name: string;
  /** 主体所属区域 */
  region: string | null;
  /** 来源 */
  source: 'any' | 'form' | 'import' | 'api' | 'device';
  /** 环节 */
  stage: 'primary_production' | 'processing' | 'distribution' | 'transport' | 'inspection' | 'supervision' | 'consumption' | null;
  /** 主体 */
  subject_id: string | null;
  /** updated_at */
  updated_at: string;
  /** updated_by */
  updated_by: string;
  /** version */
  version: number;
}

/** What became of one event. */
export interface CaptureResult {
  index: number;
  id?: string;
  state?: 'accepted' | 'held';
  duplicate?: boolean;
  problem?: { status: number; code: string; detail: string; errors?: { field: string; detail: string }[] };
}

/** The registers: what is sent, and what is stored. */
export interface Registers {
  trace_subject: { input: TraceSubjectInput; stored: TraceSubject };
  licence: { input: LicenceInput; stored: Licence };
  site: { input: SiteInput; stored: Site };
  node: { input: NodeInput; stored: Node };
  merchant: { input: MerchantInput; stored: Merchant };
  product: { input: ProductInput; stored: Product };
  device: { input: DeviceInput; stored: Device };
  source_policy: { input: SourcePolicyInput; stored: SourcePolicy };
}
