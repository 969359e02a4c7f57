//! The open orders of a reply.

use alp_adapter::*;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OpenOrder<'a> {
    #[serde(borrow)]
    inst_type: Text<'a>,
    inst_id: Text<'a>,
    ord_id: Text<'a>,
    ord_type: Text<'a>,
    td_mode: Text<'a>,
    state: Text<'a>,
    side: Text<'a>,
    px: Text<'a>,
    sz: Text<'a>,
    acc_fill_sz: Text<'a>,
    c_time: Text<'a>,
}

impl OpenOrder<'_> {
    pub(crate) fn is_counted(&self, symbol: &str) -> bool {
        let is_spot = self.inst_type == "SPOT" && self.td_mode == "cash" && self.inst_id == symbol;
        let is_limit = self.ord_type.is_one_of(&["limit", "post_only"]);
        is_spot && is_limit && self.state.is_one_of(&["live", "partially_filled"])
    }

    pub(crate) fn read(&self) -> Result<Option<Order>, Fault> {
        let side = order::side(self.side.as_str(), "buy", "sell")?;
        let left = self.sz.decimal("sz")?.minus(&self.acc_fill_sz.decimal("accFillSz")?)?;
        let opened_ms = time::whole_ms(self.c_time.as_str());
        order::open(self.ord_id.as_str(), side, &self.px.decimal("px")?, &left, opened_ms)
    }
}
