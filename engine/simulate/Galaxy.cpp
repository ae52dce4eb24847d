#include "simulate/Galaxy.h"

#include <cmath>

namespace blendscope {

void Galaxy::brighten(double factor) {
    for (SersicComponent& c : components) {
        for (double& f : c.flux) {
            f *= factor;
        }
    }
    for (LightMap& m : maps) {
        for (double& f : m.flux) {
            f *= factor;
        }
    }
    for (double& f : mapDisk.flux) {
        f *= factor;
    }
    for (double& f : pointFlux) {
        f *= factor;
    }
    for (double& m : magnitude) {
        m -= 2.5 * std::log10(factor);
    }
}

} // namespace blendscope
