//! Where the clients get credentials, region and endpoint from.

use std::env;

use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_sns::config::SharedCredentialsProvider;

/// What Lambda gives a function: everything is in the environment.
///
/// The chain of sources that other AWS tools go through (profiles, single sign-on, instance metadata) is 1 MB of code and
/// milliseconds of every start that a function has no use for.
///
/// `service` is the service's name in the variable that gives it an endpoint of its own: `SNS`.
#[must_use]
pub fn in_lambda(service: &str, region: &str) -> SdkConfig {
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region.to_owned()))
        .credentials_provider(SharedCredentialsProvider::new(EnvironmentVariableCredentialsProvider::new()));
    let endpoint = variable(&format!("AWS_ENDPOINT_URL_{service}")).or_else(|| variable("AWS_ENDPOINT_URL"));
    config.set_endpoint_url(endpoint);
    config.set_use_fips(variable("AWS_USE_FIPS_ENDPOINT").map(|value| is_true(&value)));
    config.set_use_dual_stack(variable("AWS_USE_DUALSTACK_ENDPOINT").map(|value| is_true(&value)));
    config.build()
}

/// What the AWS tools on a desk find: environment, profiles, single sign-on, instance metadata.
pub async fn on_a_desk(region: &str) -> SdkConfig {
    aws_config::defaults(BehaviorVersion::latest()).region(Region::new(region.to_owned())).load().await
}

fn is_true(value: &str) -> bool {
    value.eq_ignore_ascii_case("true")
}

/// An empty variable counts as absent.
fn variable(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "the edge reads the environment")]
    env::var(name).ok().filter(|value| !value.is_empty())
}
