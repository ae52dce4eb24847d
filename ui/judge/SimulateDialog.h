#pragma once

#include <QDialog>
#include <cstdint>
#include <utility>
#include <vector>

class QComboBox;
class QLabel;
class QSpinBox;

namespace blendscope {

/// Chooses a recipe and a seed for a simulated scene.
class SimulateDialog final : public QDialog {
    Q_OBJECT

public:
    explicit SimulateDialog(QWidget* parent = nullptr);
    /// Titles and names of the recipes that come with the program; broken ones are left out.
    [[nodiscard]] static std::vector<std::pair<QString, QString>> recipes();
    [[nodiscard]] QString recipe() const; ///< name or path, for loadRecipe
    [[nodiscard]] std::uint64_t seed() const;

private:
    void refresh();
    void chooseFile();

    QComboBox* m_recipes;
    QSpinBox* m_seed;
    QLabel* m_what;
};

} // namespace blendscope
