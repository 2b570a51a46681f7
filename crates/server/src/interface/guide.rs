//! How to begin, for people.

use std::{fmt::Write as _, sync::Arc};

use yj_domain::{Pack, schema::XML_NAMESPACE};

use super::VERSION;

pub(super) fn text(packs: &[&Arc<Pack>]) -> String {
    let mut text = format!(
        "# 接口规范 {VERSION}

本目录是平台公布的接口规范：接口、数据格式、代码表与示例。各文件的 SM3 摘要见 `GET /api/v1/interface`；同一摘要下的文件不再变化。

| 目录 | 内容 |
|---|---|
| `openapi.json` | 全部接口，OpenAPI 3.1 |
| `schemas/领域/版本/事件类型.schema.json` | 追溯事件，JSON Schema 2020-12 |
| `xsd/领域/版本.xsd` | 追溯事件，XML Schema 1.0 |
| `codelists/` | 代码表，JSON 与 CSV |
| `examples/领域/版本/` | 每种事件的示例，JSON 与 XML |

## 怎样开始

1. 向平台申请接口客户端，得到 `client_id` 与密钥。
2. `POST /oauth/token`（表单 `grant_type=client_credentials`、`client_id`、`client_secret`）换取访问令牌，此后的请求带 `Authorization: Bearer <令牌>`。
3. `POST /api/v1/trace_subject` 登记追溯主体，由审核人员通过。
4. `POST /api/v1/trace/events` 提交追溯事件：`application/json` 一条或一批，或 `application/xml`。以示例为底稿，改主体代码、追溯码与发生时间即可；检测、监管一类事件所涉及的追溯码须已登记，示例中是同一领域第一种产出事件的产出。
5. 同一内容重复提交得到同一标识（`duplicate`），因此网络中断后原样重发即可。

## 约定

* 未知的字段一律拒绝；可不填的字段不写，或写 `null`（XML 中不写该元素）。
* 数量与十进制数是文本，整数至多 11 位、小数至多 4 位；上下限在 JSON Schema 中写为 `pattern`，另以 `x-yj-minimum`、`x-yj-maximum` 写明。
* 规范是应当写成的样子；平台另容许首尾空白、数字前的零、全角等写法，并收为规范的写法。
* 代码的校验位、主体与产品是否登记、结存与链条由平台核对，规范不能表达。
* 字段之间的规则在 `x-yj-rules`，其中必填之类的也写为 `allOf`；XML Schema 不能表达，由平台核对。
* `x-yj-gbt38154` 是数据元在 GB/T 38154 中的名称，已对照的才写；`x-yj-class` 为 `personal` 的是个人信息，`sensitive` 的是商业秘密，都不上链、不公开。
* XML 的命名空间为 `{XML_NAMESPACE}`，根元素 `events`，以 `domain` 写明领域，其中每个元素是一个事件，以事件类型为名；元素的次序不限。不接受 DOCTYPE 与自定义实体。

## 领域包

| 领域 | 名称 | 版本 | 施行 |
|---|---|---|---|
"
    );
    for pack in packs {
        let _ = writeln!(
            text,
            "| `{}` | {} | {} | {} |",
            pack.code, pack.name, pack.version, pack.effective_on
        );
    }
    text
}
