//! What the editor shows on a first visit, one tab each.

use serde::Serialize;

/// A prepared tab.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Example {
    /// The document, with comments that say what it shows.
    pub query: &'static str,
    /// Its variables as JSON text; empty for none.
    pub variables: &'static str,
    /// Its headers as JSON text; empty for none.
    pub headers: &'static str,
}

/// The prepared tabs, in order.
pub const EXAMPLES: &[Example] = &[
    example(
        "\
# Welcome to Daybook. Ctrl-Enter runs this query, Ctrl-Space completes a name, and the book on the
# left opens the documentation. extensions.position says from where in the log the answer comes.
# 欢迎使用 Daybook。Ctrl-Enter 运行查询，Ctrl-Space 补全名称，左侧的书本图标打开文档。
query Pipeline {
  pipelineBoard {
    stages { code name nameZh opportunities totals { currency value weightedValue } }
  }
}
",
    ),
    example(
        "\
# The last orders, with their lines, shipments and customers.
# 最近的订单、明细、发货单与客户。
query Orders {
  orders(first: 5, orderBy: [{ field: ORDERED_ON, direction: DESC }]) {
    totalCount
    nodes {
      number status total { amount currency }
      customer { name grade }
      lines { sku name ordered shipped delivered net { amount currency } }
      shipments { nodes { number state carrier } }
    }
  }
}
",
    ),
    example(
        "\
# What lies where, and what it is worth.
# 各仓库的库存与价值。
query Stock {
  stockByWarehouse { nodes { warehouseCode warehouseName skus onHand reserved value } }
}
",
    ),
    example(
        "\
# One customer with its whole history: every commit, who acted, what happened.
# 一个客户的完整历史：每次提交、操作人与事件。
query History {
  customers(first: 1, orderBy: [{ field: NUMBER }]) {
    nodes {
      id name version
      history(first: 20) {
        nodes { position command actor recordedAt reason events { type version data } }
      }
    }
  }
}
",
    ),
    example(
        "\
# Refusals are on the record: who tried what, and which rule said no.
# 被拒绝的命令同样留有记录。
query Refusals {
  commits(first: 5, newestFirst: true, where: { refused: true }) {
    nodes { position command actor refusal { code message } policies { kind version } }
  }
}
",
    ),
    example(
        "\
# Every commit as it happens; after: \"0\" begins at the beginning.
# 实时订阅每一次提交。
subscription Feed {
  commits { position command actor events { type stream } }
}
",
    ),
];

const fn example(query: &'static str) -> Example {
    Example {
        query,
        variables: "",
        headers: "",
    }
}
