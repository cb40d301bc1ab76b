//! What every service is: operations, access, permits, request context, errors.
