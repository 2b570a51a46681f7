//! 设备 (G-6.7.5): what captures trace data, by type, model, MAC address and the enterprise it
//! belongs to.

use serde::{Deserialize, Serialize};
use yj_kernel::{Codes, Columns, Field, Kind, Match, Resource, Result, Scoping};
use yj_model::{Id, MacAddress, RegionCode};

/// 设备类型
const DEVICE_KINDS: Codes = &[
    ("scale", "电子秤"),
    ("scanner", "扫码设备"),
    ("rfid", "射频识别设备"),
    ("sensor", "温湿度与环境传感器"),
    ("locator", "定位设备"),
    ("camera", "视频设备"),
    ("gateway", "采集网关"),
    ("printer", "赋码打印设备"),
    ("kiosk", "查询终端"),
    ("other", "其他"),
];

/// 设备
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Device {
    /// MAC 地址
    pub mac: String,
    /// 设备类型
    pub kind: String,
    /// 设备型号
    pub model: String,
    /// 生产厂家
    pub maker: Option<String>,
    /// 出厂编号
    pub serial_no: Option<String>,
    /// 所属企业
    pub subject_id: Id<()>,
    /// 所属区域
    pub region: RegionCode,
    /// 安装位置
    pub place: Option<String>,
    /// 检定有效期至
    pub verified_until: Option<String>,
    /// 是否启用
    pub in_use: bool,
}

fn mac(text: &str) -> Result<String, String> {
    text.parse::<MacAddress>().map(|mac| mac.to_string()).map_err(|error| error.to_string())
}

impl Resource for Device {
    const TABLE: &'static str = "device";
    const TITLE: &'static str = "设备";
    const SCOPING: Scoping = Scoping::By(Columns {
        region: Some("region"),
        subject: Some("subject_id"),
        label: Some("label"),
        ..Columns::NONE
    });
    const FIELDS: &'static [Field] = &[
        Field::new("mac", "MAC 地址", Kind::Text)
            .checked(mac)
            .format("an17")
            .filter(Match::Exact)
            .sortable()
            .hint("如 A4:BB:6D:00:11:22，分隔符与大小写不限"),
        Field::new("kind", "设备类型", Kind::Code(DEVICE_KINDS)).filter(Match::Exact).sortable(),
        Field::new("model", "设备型号", Kind::Text)
            .length_max(60)
            .filter(Match::Contains)
            .sortable(),
        Field::new("maker", "生产厂家", Kind::Text)
            .length_max(120)
            .filter(Match::Contains)
            .optional(),
        Field::new("serial_no", "出厂编号", Kind::Text)
            .length_max(60)
            .filter(Match::Exact)
            .optional(),
        Field::new("subject_id", "所属企业", Kind::Id("trace_subject")).filter(Match::Exact),
        Field::new("region", "所属区域", Kind::Region).filter(Match::Prefix).sortable(),
        Field::new("place", "安装位置", Kind::Text).length_max(120).optional(),
        Field::new("verified_until", "检定有效期至", Kind::Date)
            .filter(Match::Range)
            .sortable()
            .optional()
            .hint("须检定的计量器具填写"),
        Field::new("in_use", "是否启用", Kind::Bool).filter(Match::Exact),
    ];

    fn sample(n: u32) -> Self {
        Self {
            mac: format!("A4:BB:6D:{:02X}:{:02X}:{:02X}", n >> 16 & 255, n >> 8 & 255, n & 255),
            kind: String::from("scale"),
            model: String::from("示例-1"),
            maker: Some(String::from("示例衡器厂")),
            serial_no: Some(format!("SN-{n}")),
            subject_id: Id::from_parts(1, u128::from(n)),
            region: "610116".parse().expect("six digits"),
            place: Some(String::from("示例车间")),
            verified_until: Some(String::from("2027-01-01")),
            in_use: true,
        }
    }
}
