//! The Classy client over real sockets, against a double that sends any bytes.

pub(crate) mod double;
mod honest;
mod hostile;

use classy_sync::classy::{Client, Error, Settings, Transport};
use classy_sync::domain::{Page, Query};
use classy_sync::entities::Supporter;
use double::Double;
use std::time::Duration;

/// A list with one supporter.
const LIST: &str = r#"{"data":[{"id":7,"first_name":"Maribel","email_address":"maribel@example.org"}],"total":1,"next_page_url":"http://127.0.0.1:9/?page=2"}"#;
const TOKEN: &str = r#"{"access_token":"0123456789abcdef0123456789abcdef","expires_in":7200,"queries_log":[],"token_type":"bearer"}"#;

/// An answer with these headers, whole.
fn reply(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status}\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

fn json(body: &str) -> Vec<u8> {
    reply(
        "200 OK",
        "content-type: application/json\r\n",
        body.as_bytes(),
    )
}

fn settings(data: &Double, token: &Double) -> Settings {
    let base = format!("{}/2.0", data.url()).parse().unwrap();
    let token = format!("{}/oauth2/auth", token.url()).parse().unwrap();
    let mut settings = Settings::new(
        10_001,
        base,
        token,
        "an-app".to_owned(),
        "a-secret-word".to_owned().into(),
    );
    settings.requests_per_minute = 0.into();
    settings.data_timeout = Duration::from_secs(20);
    settings.retries.base = Duration::from_millis(1);
    settings
}

fn client(settings: Settings) -> Client {
    Client::new(&Transport::new("").unwrap(), settings).unwrap()
}

async fn first_page(client: &Client) -> Result<Page<Supporter>, Error> {
    client.page(Query::All, 1, 100).await
}
