// Read before everything else when clang-tidy looks at files that see LibTorch: clang wants to evaluate libstdc++ 12's
// constexpr std::vector of LibTorch 1.13's IValue before that class is complete, so that vectors are not constexpr.
#pragma once

#include <algorithm>
#include <memory>
#include <string>

#undef _GLIBCXX20_CONSTEXPR
#define _GLIBCXX20_CONSTEXPR
#include <bits/stl_vector.h>
#define __fill_a1 fillBits // declared constexpr by <algorithm> already
#include <bits/stl_bvector.h>
#undef __fill_a1
#include <bits/vector.tcc>
#undef _GLIBCXX20_CONSTEXPR
#define _GLIBCXX20_CONSTEXPR constexpr
#include <vector>
