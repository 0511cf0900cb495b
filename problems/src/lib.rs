//! Example and benchmark functions, generic over `wengert::Scalar`.
