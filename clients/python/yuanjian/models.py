"""由 cargo xtask clients 生成，请勿手改。"""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict


class Document(TypedDict):
    """凭证"""

    no: str  # 编号
    type: str  # 类型


class Evidence(TypedDict):
    """证据文件"""

    name: str  # 文件名
    sm3: str  # SM3 摘要，64 位小写十六进制


class Input(TypedDict):
    """投入"""

    code: str  # 追溯码
    external: NotRequired[bool]  # 来源于平台之外
    quantity: NotRequired[str | None]  # 数量，十进制字符串；检测、监管类可不填
    unit: NotRequired[str | None]  # 计量单位，UN/CEFACT 代码


class Output(TypedDict):
    """产出"""

    code: str  # 追溯码
    lot: NotRequired[str | None]  # 批次号
    product: NotRequired[str | None]  # 产品代码
    quantity: str  # 数量，十进制字符串
    unit: str  # 计量单位


class Place(TypedDict):
    """地点"""

    address: NotRequired[str | None]  # 地址
    lat: NotRequired[str | None]  # 纬度
    lon: NotRequired[str | None]  # 经度
    region: str  # 行政区划代码


class TraceEvent(TypedDict):
    """追溯事件"""

    attributes: NotRequired[dict[str, Any]]  # 领域包规定的字段
    correction_of: NotRequired[str | None]  # 被更正事件的标识
    correction_reason: NotRequired[str | None]  # 更正原因
    counterparty: NotRequired[str | None]  # 交易对方的代码，现用或旧代码；登记为现用代码
    documents: NotRequired[list[Document]]  # 凭证
    domain: str  # 领域代码，如 agri
    event_time: str  # 发生时间，带时区偏移
    evidence: NotRequired[list[Evidence]]  # 证据文件
    external_id: NotRequired[str | None]  # 来源系统自己的编号
    inputs: NotRequired[list[Input]]  # 投入
    outputs: NotRequired[list[Output]]  # 产出
    place: NotRequired[Place | None]  # 地点
    subject: str  # 主体的代码：现用代码，或其任何一个旧代码；登记为现用代码
    type: str  # 事件类型，如 harvest
    withdraws: NotRequired[bool]  # 撤销：被更正的事件没有发生过，也没有别的取代它；不写投入、产出与字段


class TraceSubjectInput(TypedDict):
    """追溯主体（提交）"""

    address: NotRequired[str | None]  # 地址
    code: NotRequired[str | None]  # 主体代码
    contact_name: str  # 联系人
    contact_phone: str  # 联系电话
    datum: NotRequired[Literal["cgcs2000", "gcj02", "bd09"] | None]  # 坐标系
    datum_given: NotRequired[Literal["cgcs2000", "gcj02", "bd09"] | None]  # 原坐标系
    email: NotRequired[str | None]  # 电子邮箱
    filed_on: NotRequired[str | None]  # 备案时间
    industry_code: NotRequired[str | None]  # 行业代码
    kind: Literal["01", "02", "03", "04", "05", "06", "07", "08", "09", "99"]  # 主体类型
    lat: NotRequired[str | None]  # 纬度
    legal_rep: NotRequired[str | None]  # 法定代表人
    legal_rep_id: NotRequired[str | None]  # 法定代表人证件号码
    legal_rep_id_kind: NotRequired[Literal["111", "114", "414", "511", "516", "553", "990"] | None]  # 法定代表人证件类型
    licence_no: NotRequired[str | None]  # 许可证号
    lon: NotRequired[str | None]  # 经度
    name: str  # 主体名称
    node_code: NotRequired[str | None]  # 节点编码
    node_name: NotRequired[str | None]  # 节点名称
    predecessor_id: NotRequired[str | None]  # 拆分自
    product_kinds: NotRequired[list[str] | None]  # 产品种类
    region: str  # 所属区域
    roles: list[Literal["10", "11", "12", "13", "20", "21", "22", "23", "30", "31", "32", "33", "34", "35", "36", "37", "40", "41", "50", "60", "61", "62", "63", "70", "99"]]  # 环节角色
    source_system: NotRequired[str | None]  # 来源系统
    status: NotRequired[Literal["40", "60", "70", "80"] | None]  # 主体状态
    successor_id: NotRequired[str | None]  # 并入主体


class TraceSubject(TypedDict):
    """追溯主体"""

    address: str | None  # 地址
    code: str | None  # 主体代码
    contact_name: str  # 联系人
    contact_phone: str  # 联系电话
    created_at: str  # created_at
    created_by: str  # created_by
    datum: Literal["cgcs2000", "gcj02", "bd09"] | None  # 坐标系
    datum_given: Literal["cgcs2000", "gcj02", "bd09"] | None  # 原坐标系
    email: str | None  # 电子邮箱
    filed_on: str | None  # 备案时间
    id: str  # id
    industry_code: str | None  # 行业代码
    kind: Literal["01", "02", "03", "04", "05", "06", "07", "08", "09", "99"]  # 主体类型
    label: int  # label
    lat: str | None  # 纬度
    legal_rep: str | None  # 法定代表人
    legal_rep_id: str | None  # 法定代表人证件号码
    legal_rep_id_kind: Literal["111", "114", "414", "511", "516", "553", "990"] | None  # 法定代表人证件类型
    licence_no: str | None  # 许可证号
    lon: str | None  # 经度
    name: str  # 主体名称
    node_code: str | None  # 节点编码
    node_name: str | None  # 节点名称
    predecessor_id: str | None  # 拆分自
    product_kinds: list[str] | None  # 产品种类
    region: str  # 所属区域
    roles: list[Literal["10", "11", "12", "13", "20", "21", "22", "23", "30", "31", "32", "33", "34", "35", "36", "37", "40", "41", "50", "60", "61", "62", "63", "70", "99"]]  # 环节角色
    source_system: str | None  # 来源系统
    status: Literal["40", "60", "70", "80"] | None  # 主体状态
    successor_id: str | None  # 并入主体
    updated_at: str  # updated_at
    updated_by: str  # updated_by
    version: int  # version


class LicenceInput(TypedDict):
    """许可证照（提交）"""

    issuer: str  # 发证机关
    kind: Literal["101", "201", "202", "203", "204", "205", "206", "301", "302", "303", "401", "402", "403", "404", "405", "406", "407", "501", "502", "503", "601", "602", "603", "604", "701", "702", "801", "901", "902", "903", "990"]  # 证照类型
    no: str  # 证照编号
    region: NotRequired[str | None]  # 所属区域
    subject_id: str  # 追溯主体
    valid_from: str  # 有效期自
    valid_to: NotRequired[str | None]  # 有效期至


class Licence(TypedDict):
    """许可证照"""

    created_at: str  # created_at
    created_by: str  # created_by
    id: str  # id
    issuer: str  # 发证机关
    kind: Literal["101", "201", "202", "203", "204", "205", "206", "301", "302", "303", "401", "402", "403", "404", "405", "406", "407", "501", "502", "503", "601", "602", "603", "604", "701", "702", "801", "901", "902", "903", "990"]  # 证照类型
    label: int  # label
    no: str  # 证照编号
    region: str | None  # 所属区域
    subject_id: str  # 追溯主体
    updated_at: str  # updated_at
    updated_by: str  # updated_by
    valid_from: str  # 有效期自
    valid_to: str | None  # 有效期至
    version: int  # version


class SiteInput(TypedDict):
    """经营场所（提交）"""

    address: str  # 地址
    datum: NotRequired[Literal["cgcs2000", "gcj02", "bd09"] | None]  # 坐标系
    datum_given: NotRequired[Literal["cgcs2000", "gcj02", "bd09"] | None]  # 原坐标系
    in_use: bool  # 是否在用
    kind: Literal["office", "plant", "base", "slaughter", "warehouse", "shop", "stall", "laboratory", "other"]  # 场所类型
    lat: NotRequired[str | None]  # 纬度
    lon: NotRequired[str | None]  # 经度
    name: str  # 场所名称
    node_id: NotRequired[str | None]  # 所在节点
    region: str  # 所在区域
    subject_code: str  # 主体代码
    subject_id: NotRequired[str | None]  # 追溯主体


class Site(TypedDict):
    """经营场所"""

    address: str  # 地址
    created_at: str  # created_at
    created_by: str  # created_by
    datum: Literal["cgcs2000", "gcj02", "bd09"] | None  # 坐标系
    datum_given: Literal["cgcs2000", "gcj02", "bd09"] | None  # 原坐标系
    id: str  # id
    in_use: bool  # 是否在用
    kind: Literal["office", "plant", "base", "slaughter", "warehouse", "shop", "stall", "laboratory", "other"]  # 场所类型
    label: int  # label
    lat: str | None  # 纬度
    lon: str | None  # 经度
    name: str  # 场所名称
    node_id: str | None  # 所在节点
    region: str  # 所在区域
    subject_code: str  # 主体代码
    subject_id: str | None  # 追溯主体
    updated_at: str  # updated_at
    updated_by: str  # updated_by
    version: int  # version


class NodeInput(TypedDict):
    """节点（提交）"""

    address: NotRequired[str | None]  # 地址
    code: str  # 节点编码
    datum: NotRequired[Literal["cgcs2000", "gcj02", "bd09"] | None]  # 坐标系
    datum_given: NotRequired[Literal["cgcs2000", "gcj02", "bd09"] | None]  # 原坐标系
    filed_on: NotRequired[str | None]  # 备案时间
    in_use: bool  # 是否启用
    kind: Literal["wholesale", "market", "supermarket", "slaughter", "group", "online", "logistics", "other"]  # 节点类型
    lat: NotRequired[str | None]  # 纬度
    lon: NotRequired[str | None]  # 经度
    name: str  # 节点名称
    product_kinds: NotRequired[list[str] | None]  # 产品种类
    region: str  # 所属区域
    stage: NotRequired[Literal["primary_production", "processing", "distribution", "transport", "inspection", "supervision", "consumption"] | None]  # 追溯环节
    subject_id: str  # 经营主体


class Node(TypedDict):
    """节点"""

    address: str | None  # 地址
    code: str  # 节点编码
    created_at: str  # created_at
    created_by: str  # created_by
    datum: Literal["cgcs2000", "gcj02", "bd09"] | None  # 坐标系
    datum_given: Literal["cgcs2000", "gcj02", "bd09"] | None  # 原坐标系
    filed_on: str | None  # 备案时间
    id: str  # id
    in_use: bool  # 是否启用
    kind: Literal["wholesale", "market", "supermarket", "slaughter", "group", "online", "logistics", "other"]  # 节点类型
    label: int  # label
    lat: str | None  # 纬度
    lon: str | None  # 经度
    name: str  # 节点名称
    product_kinds: list[str] | None  # 产品种类
    region: str  # 所属区域
    stage: Literal["primary_production", "processing", "distribution", "transport", "inspection", "supervision", "consumption"] | None  # 追溯环节
    subject_id: str  # 经营主体
    updated_at: str  # updated_at
    updated_by: str  # updated_by
    version: int  # version


class MerchantInput(TypedDict):
    """商户（提交）"""

    booth: NotRequired[str | None]  # 摊位号
    code: str  # 商户编码
    contact_name: str  # 联系人
    contact_phone: str  # 联系电话
    goods: list[str]  # 品种
    in_use: bool  # 是否在营
    kind: Literal["individual", "enterprise", "cooperative", "farmer", "other"]  # 商户类型
    name: str  # 商户名称
    node_id: str  # 注册所在节点
    operator_id: NotRequired[str | None]  # 市场经营主体
    region: NotRequired[str | None]  # 所属区域
    registered_on: NotRequired[str | None]  # 注册时间
    stage: NotRequired[Literal["primary_production", "processing", "distribution", "transport", "inspection", "supervision", "consumption"] | None]  # 追溯环节
    subject_id: NotRequired[str | None]  # 对应追溯主体


class Merchant(TypedDict):
    """商户"""

    booth: str | None  # 摊位号
    code: str  # 商户编码
    contact_name: str  # 联系人
    contact_phone: str  # 联系电话
    created_at: str  # created_at
    created_by: str  # created_by
    goods: list[str]  # 品种
    id: str  # id
    in_use: bool  # 是否在营
    kind: Literal["individual", "enterprise", "cooperative", "farmer", "other"]  # 商户类型
    label: int  # label
    name: str  # 商户名称
    node_id: str  # 注册所在节点
    operator_id: str | None  # 市场经营主体
    region: str | None  # 所属区域
    registered_on: str | None  # 注册时间
    stage: Literal["primary_production", "processing", "distribution", "transport", "inspection", "supervision", "consumption"] | None  # 追溯环节
    subject_id: str | None  # 对应追溯主体
    updated_at: str  # updated_at
    updated_by: str  # updated_by
    version: int  # version


class ProductInput(TypedDict):
    """重要产品（提交）"""

    approval_no: NotRequired[str | None]  # 批准文号
    approval_until: NotRequired[str | None]  # 批准有效期至
    attributes: NotRequired[dict[str, Any]]  # 产品属性
    brand: NotRequired[str | None]  # 品牌
    catalogue_code: NotRequired[str | None]  # 产品分类
    catalogue_version: NotRequired[int | None]  # 目录版本
    category: NotRequired[str | None]  # 产品类别
    code: str  # 产品代码
    domain: str  # 产品领域
    generic_name: NotRequired[str | None]  # 通用名称
    gtin: NotRequired[str | None]  # 商品条码
    inner_count: NotRequired[int | None]  # 内装数量
    inner_id: NotRequired[str | None]  # 内装产品
    item_code: NotRequired[str | None]  # 企业货号
    maker_id: NotRequired[str | None]  # 生产企业
    model: NotRequired[str | None]  # 型号
    name: str  # 产品名称
    origin_region: NotRequired[str | None]  # 产地
    pack_level: NotRequired[Literal["item", "inner", "middle", "case", "pallet", "container"] | None]  # 包装层级
    pack_version: NotRequired[str | None]  # 领域包版本
    recall_level: NotRequired[Literal["first", "second", "third"] | None]  # 召回级别
    region: str  # 所属区域
    shelf_life: NotRequired[int | None]  # 保质期
    shelf_life_unit: NotRequired[Literal["hour", "day", "month", "year"] | None]  # 保质期单位
    spec: NotRequired[str | None]  # 规格
    standard_no: NotRequired[str | None]  # 执行标准
    state: NotRequired[Literal["active", "suspended", "recalling"] | None]  # 产品状态
    state_reason: NotRequired[str | None]  # 状态理由
    state_since: NotRequired[str | None]  # 状态始于
    storage: NotRequired[str | None]  # 贮存条件
    subject_id: str  # 责任主体
    unit: str  # 计量单位


class Product(TypedDict):
    """重要产品"""

    approval_no: str | None  # 批准文号
    approval_until: str | None  # 批准有效期至
    attributes: dict[str, Any]  # 产品属性
    brand: str | None  # 品牌
    catalogue_code: str | None  # 产品分类
    catalogue_version: int | None  # 目录版本
    category: str | None  # 产品类别
    code: str  # 产品代码
    created_at: str  # created_at
    created_by: str  # created_by
    domain: str  # 产品领域
    generic_name: str | None  # 通用名称
    gtin: str | None  # 商品条码
    id: str  # id
    inner_count: int | None  # 内装数量
    inner_id: str | None  # 内装产品
    item_code: str | None  # 企业货号
    label: int  # label
    maker_id: str | None  # 生产企业
    model: str | None  # 型号
    name: str  # 产品名称
    origin_region: str | None  # 产地
    pack_level: Literal["item", "inner", "middle", "case", "pallet", "container"] | None  # 包装层级
    pack_version: str | None  # 领域包版本
    recall_level: Literal["first", "second", "third"] | None  # 召回级别
    region: str  # 所属区域
    shelf_life: int | None  # 保质期
    shelf_life_unit: Literal["hour", "day", "month", "year"] | None  # 保质期单位
    spec: str | None  # 规格
    standard_no: str | None  # 执行标准
    state: Literal["active", "suspended", "recalling"] | None  # 产品状态
    state_reason: str | None  # 状态理由
    state_since: str | None  # 状态始于
    storage: str | None  # 贮存条件
    subject_id: str  # 责任主体
    unit: str  # 计量单位
    updated_at: str  # updated_at
    updated_by: str  # updated_by
    version: int  # version


class DeviceInput(TypedDict):
    """设备（提交）"""

    datum: NotRequired[Literal["cgcs2000", "gcj02", "bd09"] | None]  # 坐标系
    datum_given: NotRequired[Literal["cgcs2000", "gcj02", "bd09"] | None]  # 原坐标系
    firmware: NotRequired[str | None]  # 固件版本
    iccid: NotRequired[str | None]  # ICCID
    imei: NotRequired[str | None]  # IMEI
    in_use: bool  # 是否启用
    installed_on: NotRequired[str | None]  # 安装日期
    interval_minutes: NotRequired[int | None]  # 上报间隔（分钟）
    kind: Literal["scale", "scanner", "rfid", "sensor", "locator", "camera", "gateway", "printer", "kiosk", "other"]  # 设备类型
    lat: NotRequired[str | None]  # 纬度
    locally_administered: NotRequired[bool | None]  # 本地管理地址
    lon: NotRequired[str | None]  # 经度
    mac: str  # MAC 地址
    maker: NotRequired[str | None]  # 生产厂家
    model: str  # 设备型号
    place: NotRequired[str | None]  # 安装位置
    region: str  # 所属区域
    serial_no: NotRequired[str | None]  # 出厂编号
    state: NotRequired[Literal["online", "offline", "never"] | None]  # 在线状态
    subject_id: str  # 所属企业
    verified_until: NotRequired[str | None]  # 检定有效期至


class Device(TypedDict):
    """设备"""

    created_at: str  # created_at
    created_by: str  # created_by
    datum: Literal["cgcs2000", "gcj02", "bd09"] | None  # 坐标系
    datum_given: Literal["cgcs2000", "gcj02", "bd09"] | None  # 原坐标系
    firmware: str | None  # 固件版本
    iccid: str | None  # ICCID
    id: str  # id
    imei: str | None  # IMEI
    in_use: bool  # 是否启用
    installed_on: str | None  # 安装日期
    interval_minutes: int | None  # 上报间隔（分钟）
    kind: Literal["scale", "scanner", "rfid", "sensor", "locator", "camera", "gateway", "printer", "kiosk", "other"]  # 设备类型
    label: int  # label
    lat: str | None  # 纬度
    locally_administered: bool | None  # 本地管理地址
    lon: str | None  # 经度
    mac: str  # MAC 地址
    maker: str | None  # 生产厂家
    model: str  # 设备型号
    place: str | None  # 安装位置
    region: str  # 所属区域
    serial_no: str | None  # 出厂编号
    state: Literal["online", "offline", "never"] | None  # 在线状态
    subject_id: str  # 所属企业
    updated_at: str  # updated_at
    updated_by: str  # updated_by
    verified_until: str | None  # 检定有效期至
    version: int  # version


class SourcePolicyInput(TypedDict):
    """采集来源策略（提交）"""

    decision: Literal["auto", "manual"]  # 处理方式
    domain: NotRequired[str | None]  # 领域
    name: str  # 策略名称
    region: NotRequired[str | None]  # 主体所属区域
    source: Literal["any", "form", "import", "api", "device"]  # 来源
    stage: NotRequired[Literal["primary_production", "processing", "distribution", "transport", "inspection", "supervision", "consumption"] | None]  # 环节
    subject_id: NotRequired[str | None]  # 主体


class SourcePolicy(TypedDict):
    """采集来源策略"""

    created_at: str  # created_at
    created_by: str  # created_by
    decision: Literal["auto", "manual"]  # 处理方式
    domain: str | None  # 领域
    id: str  # id
    label: int  # label
    name: str  # 策略名称
    region: str | None  # 主体所属区域
    source: Literal["any", "form", "import", "api", "device"]  # 来源
    stage: Literal["primary_production", "processing", "distribution", "transport", "inspection", "supervision", "consumption"] | None  # 环节
    subject_id: str | None  # 主体
    updated_at: str  # updated_at
    updated_by: str  # updated_by
    version: int  # version


class CaptureResult(TypedDict):
    """What became of one event."""

    index: int
    id: NotRequired[str]
    state: NotRequired[Literal["accepted", "held"]]
    duplicate: NotRequired[bool]
    problem: NotRequired[dict[str, Any]]
