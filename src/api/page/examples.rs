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
    Example {
        query: "\
# Welcome to Daybook. Ctrl-Enter runs this query,
# Ctrl-Space completes a name, and the book on the
# left opens the documentation.
# 欢迎使用 Daybook。Ctrl-Enter 运行查询，
# Ctrl-Space 补全名称，左侧的书本图标打开文档。
query Welcome {
  __schema {
    queryType {
      fields {
        name
        description
      }
    }
  }
}
",
        variables: "",
        headers: "",
    },
    Example {
        query: "\
# Every type that the API knows by one name.
# 按名称查看一个类型的全部字段。
query Type($name: String!) {
  __type(name: $name) {
    name
    kind
    description
    fields {
      name
      description
      type {
        name
      }
    }
  }
}
",
        variables: "{ \"name\": \"Query\" }",
        headers: "",
    },
    Example {
        query: "\
# Every command of the business is one mutation.
# 每个业务命令对应一个 mutation。
query Commands {
  __schema {
    mutationType {
      fields {
        name
        description
      }
    }
  }
}
",
        variables: "",
        headers: "",
    },
];
