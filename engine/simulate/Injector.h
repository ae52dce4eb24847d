#pragma once

#include "core/Scene.h"
#include "simulate/Population.h"
#include "simulate/Recipe.h"
#include "simulate/Renderer.h"

#include <QJsonObject>
#include <cstdint>
#include <memory>
#include <optional>

namespace blendscope {

class Progress;

/// Puts simulated objects into a scene that is there already, through its own PSF images, zero points, gains and pixel
/// scale, with the Poisson noise of the added light. Preparing reads no pixels; one galaxy takes milliseconds,
/// whatever the scene's size, since pixels are added when they are read. Immutable: safe from many threads.
class Injector {
public:
    /// Throws UsageError, in words, where a scene cannot take objects: a band without PSF, zero point or wavelength, an
    /// unknown pixel scale.
    explicit Injector(ScenePtr scene);

    /// An object as it is met: what `wish` leaves open is drawn from (seed, number). With `snr`, the matched-filter S/N
    /// in g, r and i together at that place decides the magnitude.
    [[nodiscard]] Galaxy galaxy(const Population::Wish& wish, double x, double y, std::uint64_t seed, int number = 0,
                                std::optional<double> snr = std::nullopt) const;
    [[nodiscard]] Galaxy star(double magnitude, double x, double y, std::uint64_t seed, int number = 0,
                              double colour = std::numeric_limits<double>::quiet_NaN()) const;

    /// The objects of a recipe (keys galaxies, stars, groups, objects) for this scene.
    [[nodiscard]] std::vector<Galaxy> objects(const QJsonObject& recipe, std::uint64_t seed, int index = 0) const;

    /// The scene with the objects in it and in its truth (rows after those that were there, column injected = 1). Truth
    /// holds isolated images of all objects where those of the old ones are there or can be drawn; else of none.
    /// `realization` numbers independent draws of the Poisson noise. Pixels without data stay so. Where the gain is
    /// unknown the light comes without noise of its own, which Scene::assumptions says. The same for any number of
    /// threads (0 = all).
    [[nodiscard]] ScenePtr inject(const std::vector<Galaxy>& galaxies, std::uint64_t seed, int realization = 0,
                                  Progress* progress = nullptr, int threads = 0) const;

    /// The noiseless picture of an object as inject() adds it.
    [[nodiscard]] Renderer::Drawing draw(const Galaxy& galaxy) const { return m_renderer->draw(galaxy); }
    [[nodiscard]] const Scene& scene() const { return *m_scene; }

private:
    [[nodiscard]] std::vector<double> sigmaAt(double x, double y) const;
    struct OldTruth;
    /// Isolated images of what the scene's truth holds already; drawn once, where they must be.
    [[nodiscard]] const std::vector<std::vector<PlanePtr>>& oldIsolated(int threads) const;

    ScenePtr m_scene;
    Survey m_survey;
    std::unique_ptr<const Population> m_population;
    std::unique_ptr<const Renderer> m_renderer;
    std::shared_ptr<OldTruth> m_old;
};

/// Injector in one call: the objects of a recipe into a scene. Throws UsageError.
[[nodiscard]] ScenePtr injectObjects(const ScenePtr& scene, const QJsonObject& recipe, std::uint64_t seed,
                                     Progress* progress = nullptr, int threads = 0);

} // namespace blendscope
