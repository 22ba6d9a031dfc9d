// exp and log with the same bits on every compiler and CPU.
//
// Contract   made of IEEE add, multiply, divide and bit operations only; built without contraction.
// Domain     exp: any finite x (overflow gives +infinity, underflow 0). log: x > 0.
// Exactness  bit-identical everywhere; within 4 ulp of the true value.
// Errors     none.  Threads  pure.
#pragma once

namespace hearth {

[[nodiscard]] double exact_exp(double x);
[[nodiscard]] double exact_log(double x);

}  // namespace hearth
