//! What goes wrong between us and the table.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

use crate::alert::text;
use crate::state::store::StoreError;

/// How much of an error's code is kept, in bytes.
const CODE_BYTES: usize = 80;

/// What a request came to that was not answered as it should be. Explanations are dropped: they may quote the request.
pub(super) fn of<E: ProvideErrorMetadata>(call: &'static str, error: &SdkError<E>) -> StoreError {
    let Some(service_error) = error.as_service_error() else {
        return match error {
            SdkError::TimeoutError(_) => StoreError::Timeout { call },
            SdkError::DispatchFailure(failure) if failure.is_timeout() => StoreError::Timeout { call },
            SdkError::DispatchFailure(_) => StoreError::Unreachable { call },
            SdkError::ResponseError(_) => StoreError::Unreadable { call },
            _ => not_made(call),
        };
    };
    let Some(code) = service_error.code() else { return StoreError::Unreadable { call } };
    let status = error.raw_response().map_or(0, |response| response.status().as_u16());
    let may_pass = status >= 500 || status == 429 || is_throttle(code);
    let code = text::bounded(code, CODE_BYTES).into_owned();
    if may_pass { StoreError::Unavailable { call, code } } else { StoreError::Refused { call, code } }
}

/// The table answered, and left some of it for later.
pub(super) fn unprocessed(call: &'static str) -> StoreError {
    StoreError::Unavailable { call, code: "UnprocessedKeys".to_owned() }
}

/// The SDK itself refused the request.
pub(super) fn not_made(call: &'static str) -> StoreError {
    StoreError::Refused { call, code: "ConstructionFailure".to_owned() }
}

/// Errors with status 400 that say "later".
fn is_throttle(code: &str) -> bool {
    let codes = [
        "ProvisionedThroughputExceededException",
        "ThrottlingException",
        "Throttling",
        "RequestLimitExceeded",
        "LimitExceededException",
        "TransactionInProgressException",
        "RequestTimeout",
        "RequestTimeoutException",
    ];
    codes.contains(&code)
}
