#pragma once

#include <vector>

namespace blendscope {

/// Non-negative least squares from normal equations: minimises x' G x / 2 - h' x subject to x >= 0, for a symmetric
/// positive semi-definite G (row-major, n x n) with a small ridge added to its diagonal (`ridge` times the diagonal).
/// Active set of Lawson & Hanson in the normal-equation form of Bro & de Jong 1997 (J. Chemometrics 11, 393).
/// Variables whose diagonal is not positive stay 0. Deterministic. Never fails: after 3 n + 20 changes of the active
/// set it returns the best feasible point.
class Nnls {
public:
    explicit Nnls(double ridge = 1e-7) : m_ridge(ridge) {}

    /// `x` is resized to n. Values of `x` that are positive on entry are taken as the first guess of the active set.
    void solve(const std::vector<double>& gram, const std::vector<double>& rhs, int n, std::vector<double>& x);

private:
    bool solveFree(const std::vector<double>& gram, const std::vector<double>& rhs, int n);

    double m_ridge;
    std::vector<int> m_free;    // indices of variables that may be positive
    std::vector<double> m_chol; // factor of the free block
    std::vector<double> m_z;    // solution on the free block
};

/// In-place Cholesky factorisation of a symmetric matrix (row-major, n x n; lower triangle used and overwritten). False
/// where a pivot is not positive.
[[nodiscard]] bool choleskyFactor(std::vector<double>& matrix, int n);

/// Solves L y = b in place (forward), with `stride` doubles between the rows of the factor.
void choleskyForward(const std::vector<double>& factor, int n, double* b);
/// Solves L' x = y in place (backward).
void choleskyBackward(const std::vector<double>& factor, int n, double* b);

} // namespace blendscope
