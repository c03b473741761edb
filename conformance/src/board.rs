//! The smallest MCP server: one tool, `ping_board`, whose calls are written down. Offered to agents to see whether they
//! start it and call it.

use std::io::{BufRead, Write};
use std::path::Path;

use serde_json::{Value, json};

/// What the server is called, and its tool.
pub const NAME: &str = "board";
/// Its tool.
pub const TOOL: &str = "ping_board";

/// Serves on standard input and output until the input ends.
pub fn serve(log: &Path) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let Ok(message) = serde_json::from_str::<Value>(&line?) else { continue };
        let Some(id) = message.get("id") else { continue };
        let result = match message["method"].as_str().unwrap_or_default() {
            "initialize" => Ok(json!({
                "protocolVersion": message["params"]["protocolVersion"],
                "capabilities": { "tools": {} },
                "serverInfo": { "name": NAME, "version": "1" },
            })),
            "ping" => Ok(json!({})),
            "tools/list" => Ok(json!({ "tools": [{
                "name": TOOL,
                "description": "Leaves a note on the board",
                "inputSchema": { "type": "object", "properties": { "note": { "type": "string" } }, "required": ["note"] },
            }] })),
            "tools/call" => {
                let mut file = std::fs::OpenOptions::new().create(true).append(true).open(log)?;
                writeln!(file, "{}", message["params"]["arguments"]["note"])?;
                Ok(json!({ "content": [{ "type": "text", "text": "noted" }] }))
            }
            _ => Err(json!({ "code": -32601, "message": "there is no such method" })),
        };
        let answer = match result {
            Ok(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
            Err(error) => json!({ "jsonrpc": "2.0", "id": id, "error": error }),
        };
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}
