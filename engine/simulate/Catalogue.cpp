#include "simulate/Catalogue.h"

#include "core/Error.h"
#include "core/Scene.h"
#include "io/FitsFile.h"

#include <QDir>
#include <QFileInfo>
#include <QHash>
#include <algorithm>
#include <cmath>
#include <numeric>

namespace blendscope {

namespace {

constexpr double kHubbleFwhm = 0.1; // arcsec, of the COSMOS mosaic in F814W

const Table& firstTable(const FitsFile& file, Table& table) {
    for (const FitsHdu& hdu : file.hdus()) {
        if (hdu.kind != FitsHdu::Kind::Table) continue;
        table = file.readTable(hdu);
        return table;
    }
    throw ReadError(QStringLiteral("%1 holds no table").arg(file.path()));
}

class CatSimCatalogue final : public Catalogue {
public:
    CatSimCatalogue(Table table, const QString& path) : m_table(std::move(table)) {
        for (const char* name : kNames) {
            const TableColumn* c = m_table.find(QLatin1String(name));
            if (!c) {
                throw UsageError(
                    QStringLiteral("%1 is no CatSim table: it has no column %2").arg(path, QLatin1String(name)));
            }
            m_columns.push_back(c);
        }
        for (const char letter : QByteArray("ugrizy")) {
            if (const TableColumn* c = m_table.find(QLatin1Char(letter) + QStringLiteral("_ab"))) {
                m_bands.push_back(c);
                m_wavelengths.push_back(filterWavelength(QString(QLatin1Char(letter))));
            }
        }
        const TableColumn* i = m_table.find(QStringLiteral("i_ab"));
        if (!i) throw UsageError(QStringLiteral("%1 is no CatSim table: it has no column i_ab").arg(path));
        const TableColumn *ra = m_table.find(QStringLiteral("ra")), *dec = m_table.find(QStringLiteral("dec"));
        m_positions = ra && dec;
        double ra0 = 0.0, dec0 = 0.0;
        const auto rows = static_cast<int>(m_table.rows());
        for (int r = 0; m_positions && r < rows; ++r) {
            // Around 0 and 360 deg alike.
            double a = ra->number(r);
            if (a > 180.0) a -= 360.0;
            ra0 += a / rows;
            dec0 += dec->number(r) / rows;
        }
        for (int r = 0; r < rows; ++r) {
            Row row;
            row.magnitude = i->number(r);
            const double ad = value(AD, r), ab = value(AB, r);
            row.size = std::hypot(ad, ab);
            row.source = r;
            if (m_positions) {
                double a = ra->number(r);
                if (a > 180.0) a -= 360.0;
                row.x = (a - ra0) * 3600.0 * std::cos(dec0 * 0.017453292519943295);
                row.y = (dec->number(r) - dec0) * 3600.0;
            }
            const bool drawable =
                std::isfinite(row.magnitude) && row.size < 1e3 && (ad > 0.0 || ab > 0.0 || value(Agn, r) > 0.0);
            if (drawable) m_rows.push_back(row);
        }
        if (m_rows.empty()) throw UsageError(QStringLiteral("%1 has no galaxy that can be drawn").arg(path));
        sortRows();
    }

    [[nodiscard]] Galaxy galaxy(int i, const Survey& survey, Random& random) const override {
        const int r = row(i).source;
        const double turn = 360.0 * random.uniform();
        Galaxy g;
        g.redshift = value(Redshift, r);
        const double sum = value(NormBulge, r) + value(NormDisk, r) + value(Agn, r);
        const auto share = [&](int column) {
            return sum > 0.0 ? value(column, r) / sum : column == NormDisk ? 1.0 : 0.0;
        };
        SersicComponent disk, bulge;
        disk.n = 1.0;
        disk.aArcsec = value(AD, r);
        disk.bArcsec = value(BD, r) > 0.0 ? value(BD, r) : disk.aArcsec;
        disk.angle = std::fmod(value(PaDisk, r) + turn, 360.0);
        bulge.n = 4.0;
        bulge.aArcsec = value(AB, r);
        bulge.bArcsec = value(BB, r) > 0.0 ? value(BB, r) : bulge.aArcsec;
        bulge.angle = std::fmod(value(PaBulge, r) + turn, 360.0);
        std::vector<double> magnitudes;
        for (const TableColumn* c : m_bands) {
            magnitudes.push_back(c->number(r));
        }
        const bool hasDisk = disk.aArcsec > 0.0 && share(NormDisk) > 0.0,
                   hasBulge = bulge.aArcsec > 0.0 && share(NormBulge) > 0.0;
        // What has no size is a point; what is left over goes with the rest.
        const double diskShare = hasDisk ? share(NormDisk) : 0.0, bulgeShare = hasBulge ? share(NormBulge) : 0.0;
        const double point = std::max(0.0, 1.0 - diskShare - bulgeShare);
        for (const SurveyBand& band : survey.bands) {
            const double m = interpolateMagnitude(m_wavelengths, magnitudes, band.wavelength);
            const double flux = std::isfinite(m) ? survey.electrons(band, m) / survey.gain : 0.0;
            g.magnitude.push_back(m);
            disk.flux.push_back(flux * diskShare);
            bulge.flux.push_back(flux * bulgeShare);
            if (point > 1e-9) g.pointFlux.push_back(flux * point);
        }
        if (hasDisk) g.components.push_back(disk);
        if (hasBulge) g.components.push_back(bulge);
        return g;
    }

private:
    enum { NormBulge, NormDisk, Agn, AB, BB, AD, BD, PaBulge, PaDisk, Redshift };
    static constexpr const char* kNames[] = {
        "fluxnorm_bulge", "fluxnorm_disk", "fluxnorm_agn", "a_b", "b_b", "a_d", "b_d",
        "pa_bulge",       "pa_disk",       "redshift"};
    [[nodiscard]] double value(int column, int r) const {
        const double v = m_columns[static_cast<size_t>(column)]->number(r);
        return std::isfinite(v) ? v : 0.0;
    }

    Table m_table;
    std::vector<const TableColumn*> m_columns, m_bands;
    std::vector<double> m_wavelengths;
};

class CosmosCatalogue final : public Catalogue {
public:
    CosmosCatalogue(const Table& table, const QString& path) {
        const QDir folder = QFileInfo(path).dir();
        const auto need = [&](const Table& in, const char* name) {
            const TableColumn* c = in.find(QLatin1String(name));
            if (!c) {
                throw UsageError(QStringLiteral("%1 is no catalogue of COSMOS galaxies: it has no column %2")
                                     .arg(path, QLatin1String(name)));
            }
            return c;
        };
        const TableColumn *magnitude = need(table, "MAG"), *file = need(table, "GAL_FILENAME"),
                          *hdu = need(table, "GAL_HDU"), *scale = need(table, "PIXEL_SCALE");
        QString fits = path;
        fits.replace(QStringLiteral(".fits"), QStringLiteral("_fits.fits"));
        Table colours;
        const TableColumn* redshift = nullptr;
        if (QFileInfo::exists(fits)) {
            (void)firstTable(*FitsFile::open(fits), colours);
            redshift = colours.find(QStringLiteral("ZPHOT"));
            for (const char* name : {"HSC_g", "HSC_r", "HSC_i", "HSC_z", "HSC_y"}) {
                if (!colours.find(QLatin1String(name)) || colours.rows() != table.rows()) continue;
                m_wavelengths.push_back(filterWavelength(QString(QLatin1String(name).right(1))));
            }
        }
        QHash<QString, FitsFilePtr> files;
        for (qsizetype r = 0; r < table.rows(); ++r) {
            const QString name = file->text(r).trimmed();
            if (!files.contains(name)) files.insert(name, FitsFile::open(folder.filePath(name)));
            const FitsFile& from = *files[name];
            const FitsHdu& image = from.hdu(static_cast<int>(hdu->number(r)) + 1);
            cv::Mat pixels = from.read(image, 0, Box::of(image.size()), CV_32F);
            cv::patchNaNs(pixels, 0.0);
            const double sum = cv::sum(pixels)[0];
            if (!(sum > 0.0) || !std::isfinite(magnitude->number(r))) continue;
            Stamp stamp;
            stamp.pixels = pixels * (1.0 / sum);
            stamp.pitch = scale->number(r);
            stamp.magnitude = magnitude->number(r);
            if (redshift && redshift->number(r) > 0.0) stamp.redshift = redshift->number(r);
            for (const char* colour : {"HSC_g", "HSC_r", "HSC_i", "HSC_z", "HSC_y"}) {
                if (m_wavelengths.size() != 5) break;
                const double m = colours.find(QLatin1String(colour))->number(r);
                // A band without a measurement has the colour of a flat spectrum.
                stamp.magnitudes.push_back(m > 10.0 && m < 40.0 ? m : stamp.magnitude);
            }
            // As seen by Hubble: its PSF is taken off in quadrature, as of Gaussians.
            constexpr double seen = 0.5 * kHubbleFwhm;
            stamp.hlr = std::sqrt(std::max(0.01 * 0.01, std::pow(halfLight(stamp), 2) - seen * seen));
            Row row;
            row.magnitude = stamp.magnitude;
            row.size = stamp.hlr;
            row.source = static_cast<int>(m_stamps.size());
            m_rows.push_back(row);
            m_stamps.push_back(std::move(stamp));
        }
        if (m_rows.empty()) throw UsageError(QStringLiteral("%1 has no galaxy that can be drawn").arg(path));
        sortRows();
        constexpr double kHubble = 807.3e-9 / 2.4 * 206264.806; // lambda / D, arcsec
        m_seen = std::make_shared<const PsfModel>(
            PsfModel::airy(kHubble, 0.33)
                .convolved(PsfModel::gaussian(std::sqrt(kHubbleFwhm * kHubbleFwhm - kHubble * kHubble))));
    }

    [[nodiscard]] Galaxy galaxy(int i, const Survey& survey, Random& random) const override {
        const Stamp& stamp = m_stamps[static_cast<size_t>(row(i).source)];
        Galaxy g;
        g.redshift = stamp.redshift;
        g.morphology = QStringLiteral("real");
        g.hlrArcsec = stamp.hlr;
        LightMap map;
        map.pixels = stamp.pixels;
        // Quarter turns and mirrors leave every pixel what it was.
        const int turn = random.integer(0, 3);
        if (turn > 0) cv::rotate(map.pixels, map.pixels, turn - 1);
        if (random.uniform() < 0.5) {
            cv::Mat mirrored;
            cv::flip(map.pixels, mirrored, 1);
            map.pixels = mirrored;
        }
        map.pitchArcsec = stamp.pitch;
        map.centre = {0.5 * (map.pixels.cols - 1), 0.5 * (map.pixels.rows - 1)};
        map.seen = m_seen;
        for (const SurveyBand& band : survey.bands) {
            const double m = stamp.magnitudes.empty()
                                 ? stamp.magnitude
                                 : interpolateMagnitude(m_wavelengths, stamp.magnitudes, band.wavelength);
            g.magnitude.push_back(m);
            map.flux.push_back(std::isfinite(m) ? survey.electrons(band, m) / survey.gain : 0.0);
        }
        g.mapDisk.aArcsec = g.mapDisk.bArcsec = stamp.hlr;
        g.mapDisk.flux = map.flux;
        g.maps.push_back(std::move(map));
        return g;
    }

private:
    struct Stamp {
        cv::Mat pixels;
        double pitch = 0.03, magnitude = 0.0, redshift = 0.0, hlr = 0.0;
        std::vector<double> magnitudes;
    };
    static double halfLight(const Stamp& stamp) {
        std::vector<std::pair<double, double>> light;
        double sum = 0.0;
        for (int y = 0; y < stamp.pixels.rows; ++y) {
            for (int x = 0; x < stamp.pixels.cols; ++x) {
                light.emplace_back(std::hypot(x - 0.5 * (stamp.pixels.cols - 1), y - 0.5 * (stamp.pixels.rows - 1)),
                                   stamp.pixels.at<float>(y, x));
            }
        }
        std::sort(light.begin(), light.end());
        for (const auto& [r, f] : light) {
            sum += f;
            if (sum > 0.5) return r * stamp.pitch;
        }
        return 0.25 * stamp.pixels.cols * stamp.pitch;
    }

    std::vector<Stamp> m_stamps;
    std::vector<double> m_wavelengths;
    std::shared_ptr<const PsfModel> m_seen;
};

} // namespace

double interpolateMagnitude(const std::vector<double>& wavelengths, const std::vector<double>& magnitudes,
                            double wavelengthNm) {
    // Catalogues mark a band without a measurement by NaN or 99.
    constexpr double none = 50.0;
    const auto missing = [](double m) { return !(std::abs(m) < none); };
    if (std::any_of(magnitudes.begin(), magnitudes.end(), missing)) {
        std::vector<double> at, known;
        for (size_t k = 0; k < std::min(wavelengths.size(), magnitudes.size()); ++k) {
            if (missing(magnitudes[k])) continue;
            at.push_back(wavelengths[k]);
            known.push_back(magnitudes[k]);
        }
        return known.empty() ? std::nan("") : interpolateMagnitude(at, known, wavelengthNm);
    }
    if (wavelengths.empty()) return std::nan("");
    size_t i = 0;
    while (i + 1 < wavelengths.size() && wavelengths[i + 1] < wavelengthNm) {
        ++i;
    }
    if (i + 1 >= wavelengths.size() || wavelengthNm <= wavelengths.front()) {
        return magnitudes[wavelengthNm <= wavelengths.front() ? 0 : magnitudes.size() - 1];
    }
    const double t = std::clamp((wavelengthNm - wavelengths[i]) / (wavelengths[i + 1] - wavelengths[i]), 0.0, 1.0);
    return magnitudes[i] + t * (magnitudes[i + 1] - magnitudes[i]);
}

std::shared_ptr<const Catalogue> Catalogue::open(const QString& path) {
    const FitsFilePtr file = FitsFile::open(path);
    Table table;
    (void)firstTable(*file, table);
    if (table.find(QStringLiteral("GAL_FILENAME"))) return std::make_shared<CosmosCatalogue>(table, path);
    return std::make_shared<CatSimCatalogue>(std::move(table), path);
}

void Catalogue::sortRows() {
    std::stable_sort(m_rows.begin(), m_rows.end(),
                     [](const Row& a, const Row& b) { return a.magnitude < b.magnitude; });
}

std::pair<int, int> Catalogue::between(double bright, double faint) const {
    const auto by = [](const Row& r, double m) { return r.magnitude < m; };
    const auto first = std::lower_bound(m_rows.begin(), m_rows.end(), bright, by);
    const auto last = std::lower_bound(first, m_rows.end(), std::nextafter(faint, 1e9), by);
    return {static_cast<int>(first - m_rows.begin()), static_cast<int>(last - m_rows.begin())};
}

int Catalogue::draw(Random& random, double bright, double faint, double leastSize, double mostSize) const {
    const auto [first, last] = between(bright, faint);
    if (first >= last) return std::clamp(first, 0, size() - 1);
    int i = first;
    for (int attempt = 0; attempt < 200; ++attempt) {
        i = random.integer(first, last - 1);
        if (row(i).size >= leastSize && row(i).size <= mostSize) break;
    }
    return i;
}

std::vector<std::vector<int>> Catalogue::groups(double linkArcsec, int least, int most, double faint) const {
    const int count = between(-1e9, faint).second;
    std::vector<int> root(static_cast<size_t>(count));
    std::iota(root.begin(), root.end(), 0);
    const auto find = [&](int i) {
        while (root[static_cast<size_t>(i)] != i) {
            i = root[static_cast<size_t>(i)] = root[static_cast<size_t>(root[static_cast<size_t>(i)])];
        }
        return i;
    };
    const auto cell = [&](int i) {
        return std::pair(static_cast<int>(std::floor(row(i).x / linkArcsec)),
                         static_cast<int>(std::floor(row(i).y / linkArcsec)));
    };
    QHash<std::pair<int, int>, std::vector<int>> cells;
    for (int i = 0; i < count; ++i) {
        cells[cell(i)].push_back(i);
    }
    for (int i = 0; i < count; ++i) {
        const auto [cx, cy] = cell(i);
        for (int dy = -1; dy <= 1; ++dy) {
            for (int dx = -1; dx <= 1; ++dx) {
                const auto it = cells.constFind({cx + dx, cy + dy});
                if (it == cells.constEnd()) continue;
                for (const int j : *it) {
                    if (j > i && std::hypot(row(i).x - row(j).x, row(i).y - row(j).y) < linkArcsec) {
                        const int a = find(i), b = find(j);
                        root[static_cast<size_t>(std::max(a, b))] = std::min(a, b);
                    }
                }
            }
        }
    }
    std::vector<std::vector<int>> members(static_cast<size_t>(count));
    for (int i = 0; i < count; ++i) {
        members[static_cast<size_t>(find(i))].push_back(i);
    }
    std::erase_if(members, [&](const std::vector<int>& m) {
        return static_cast<int>(m.size()) < least || static_cast<int>(m.size()) > most;
    });
    return members;
}

} // namespace blendscope
