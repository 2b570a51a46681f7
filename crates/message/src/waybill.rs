//! 危险货物道路运输电子运单 (部令 2019 年第 29 号, handbook §4.6): one vehicle, one trip, one bill.

use crate::{Fault, Flat, Form, MessageError, Read, flat::read_all, record::record};

/// 运单状态
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// 待装
    Waiting,
    /// 运输中
    Moving,
    /// 已到达
    Arrived,
    /// 作废
    Void,
}

/// Codes of the states with their labels.
pub const STATES: &[(&str, &str)] =
    &[("waiting", "待装"), ("moving", "运输中"), ("arrived", "已到达"), ("void", "作废")];

impl State {
    /// The state of a code.
    pub fn from_code(code: &str) -> Option<Self> {
        Some(match code {
            "waiting" => Self::Waiting,
            "moving" => Self::Moving,
            "arrived" => Self::Arrived,
            "void" => Self::Void,
            _ => return None,
        })
    }

    /// 中文名称
    pub const fn label(self) -> &'static str {
        match self {
            Self::Waiting => "待装",
            Self::Moving => "运输中",
            Self::Arrived => "已到达",
            Self::Void => "作废",
        }
    }

    /// Whether a waybill in this state may go over into the other: onwards, and into the void before
    /// it has arrived.
    pub const fn may_become(self, next: Self) -> bool {
        matches!(
            (self, next),
            (Self::Waiting, Self::Moving | Self::Arrived | Self::Void)
                | (Self::Moving, Self::Arrived | Self::Void)
        )
    }
}

const CLASSES: &[(&str, &str)] = &[
    ("1.1", "1.1 项"),
    ("1.2", "1.2 项"),
    ("1.3", "1.3 项"),
    ("1.4", "1.4 项"),
    ("1.5", "1.5 项"),
    ("1.6", "1.6 项"),
    ("2.1", "易燃气体"),
    ("2.2", "非易燃无毒气体"),
    ("2.3", "毒性气体"),
    ("3", "易燃液体"),
    ("4.1", "易燃固体"),
    ("4.2", "易自燃物质"),
    ("4.3", "遇水放出易燃气体的物质"),
    ("5.1", "氧化性物质"),
    ("5.2", "有机过氧化物"),
    ("6.1", "毒性物质"),
    ("6.2", "感染性物质"),
    ("7", "放射性物质"),
    ("8", "腐蚀性物质"),
    ("9", "杂项"),
];
/// Hazards that go with the main one; several are joined by a hyphen.
const SUBSIDIARIES: &[(&str, &str)] = &[
    ("none", "无"),
    ("1", "1"),
    ("2.1", "2.1"),
    ("2.2", "2.2"),
    ("3", "3"),
    ("4.1", "4.1"),
    ("4.2", "4.2"),
    ("4.3", "4.3"),
    ("5.1", "5.1"),
    ("6.1", "6.1"),
    ("8", "8"),
    ("3-6.1", "3、6.1"),
    ("3-8", "3、8"),
    ("4.2-8", "4.2、8"),
    ("4.3-8", "4.3、8"),
    ("5.1-6.1", "5.1、6.1"),
    ("5.1-8", "5.1、8"),
    ("6.1-8", "6.1、8"),
];
const GROUPS: &[(&str, &str)] = &[("I", "Ⅰ"), ("II", "Ⅱ"), ("III", "Ⅲ"), ("none", "不适用")];
const PACKINGS: &[(&str, &str)] = &[
    ("tank", "罐式"),
    ("drum", "桶"),
    ("bottle", "瓶"),
    ("box", "箱"),
    ("bag", "袋"),
    ("ibc", "中型散装容器"),
];

record! {
    /// 电子运单
    Waybill, "waybill", {
        waybill_no: String, Form::Text(40), "运单号";
        state: String, Form::List(STATES), "运单状态";
        carrier_id: String, Form::Party, "承运人代码";
        carrier: String, Form::Text(60), "承运人";
        carrier_licence_no: String, Form::Text(40), "道路运输经营许可证号";
        consignor: String, Form::Text(60), "托运人";
        consignor_id: Option<String>, Form::Party, "托运人代码";
        loader: String, Form::Text(60), "装货人";
        consignee: String, Form::Text(60), "收货人";
        consignee_id: Option<String>, Form::Party, "收货人代码";
        vehicle_no: String, Form::Text(10), "车牌号";
        road_permit_no: String, Form::Text(40), "道路运输证号";
        permit_valid_to: String, Form::Day, "道路运输证有效期至";
        insurance_valid_to: String, Form::Day, "承运人责任险有效期至";
        trailer_no: Option<String>, Form::Text(10), "挂车号牌";
        tank_no: Option<String>, Form::Text(40), "罐体编号";
        tank_medium: Option<String>, Form::Text(60), "罐体适装介质";
        driver: String, Form::Text(20), "驾驶员";
        driver_certificate_no: String, Form::Text(30), "驾驶员从业资格证号";
        driver_phone: String, Form::Text(20), "驾驶员电话";
        escort: String, Form::Text(20), "押运员";
        escort_certificate_no: String, Form::Text(30), "押运员从业资格证号";
        escort_phone: String, Form::Text(20), "押运员电话";
        goods_name: String, Form::Text(60), "品名";
        un_no: String, Form::UnNumber, "联合国编号";
        hazard_class: String, Form::List(CLASSES), "类别或项别";
        subsidiary: Option<String>, Form::List(SUBSIDIARIES), "次要危险性";
        packing_group: String, Form::List(GROUPS), "包装类别";
        packing: String, Form::List(PACKINGS), "包装方式";
        code: String, Form::Code(64), "所装货物的追溯码";
        arrived_code: Option<String>, Form::Code(64), "卸货后的追溯码";
        quantity: String, Form::Amount, "数量";
        unit: String, Form::Text(10), "计量单位";
        unloaded_quantity: Option<String>, Form::Amount, "卸货数量";
        load_place: String, Form::Text(100), "装货地点";
        load_at: String, Form::Moment, "装货时间";
        unload_place: String, Form::Text(100), "卸货地点";
        unload_at: Option<String>, Form::Moment, "卸货时间";
        city_delivery: String, Form::Flag, "是否城市配送";
        depart_at: String, Form::Moment, "起运时间";
        arrive_at: Option<String>, Form::Moment, "到达时间";
        emergency_phone: String, Form::Text(20), "应急联系电话";
        load_t: Option<String>, Form::Decimal, "实际装载量（吨）";
        rated_load_t: String, Form::Decimal, "核定载质量（吨）";
        fill_percent: Option<String>, Form::Decimal, "罐体充装率（%）";
        remark: Option<String>, Form::Text(200), "备注";
    }
}

impl Waybill {
    /// Its state; a record that was read has one.
    pub fn state(&self) -> State {
        State::from_code(&self.state).unwrap_or(State::Waiting)
    }
}

/// Reads the waybills of a message. What a waybill must be like is said by its event type, whatever door it
/// comes in by.
pub fn read(bytes: &[u8]) -> Result<Vec<Read<Waybill>>, MessageError> {
    read_all(bytes, Waybill::NAME, of)
}

/// Reads one waybill.
pub fn of(flat: &Flat) -> Result<Waybill, Vec<Fault>> {
    Waybill::of(flat)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recorded_samples_say_the_same_in_both_notations() {
        let xml = read(include_bytes!("../samples/waybill.xml")).unwrap();
        let json = read(include_bytes!("../samples/waybill.json")).unwrap();
        let bill = |read: &[Read<Waybill>]| read[0].record.clone().unwrap();
        assert_eq!(bill(&xml), bill(&json));
        assert_eq!(bill(&xml).state(), State::Moving);
    }

    #[test]
    fn states_go_onwards_only() {
        use State::{Arrived, Moving, Void, Waiting};
        let all = [Waiting, Moving, Arrived, Void];
        let allowed: Vec<_> = all
            .iter()
            .flat_map(|from| {
                all.iter().filter(|to| from.may_become(**to)).map(move |to| (*from, *to))
            })
            .collect();
        assert_eq!(
            allowed,
            [
                (Waiting, Moving),
                (Waiting, Arrived),
                (Waiting, Void),
                (Moving, Arrived),
                (Moving, Void)
            ]
        );
        for state in all {
            assert!(
                STATES.iter().any(|(code, label)| State::from_code(code) == Some(state)
                    && *label == state.label())
            );
        }
    }
}
