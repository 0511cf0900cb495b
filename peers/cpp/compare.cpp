// Times ADOL-C and Sacado on the workloads of `wengert-peers`, and writes the same JSON to standard output.
//
// Built and started by compare.sh, which defines WITH_ADOLC and WITH_SACADO where the packages are there.
// Invariant: nothing is timed before its results agree with the oracle to 1e-8 of the largest entry.
// Source: ADOL-C 2.7 manual (traces, the driver `gradient`); Sacado's users guide (reverse mode, `Rad::ADvar`).

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

#ifdef WITH_ADOLC
#include <adolc/adolc.h>
#endif
#ifdef WITH_SACADO
#include <Sacado_trad.hpp>
#endif

using Numbers = std::vector<double>;

// Rosenbrock's valley, chained.
struct Rosen {
    template <class T> T operator()(const std::vector<T>& x) const {
        T sum = 0.0;
        for (std::size_t i = 0; i + 1 < x.size(); ++i) {
            T a = 1.0 - x[i], b = x[i + 1] - x[i] * x[i];
            sum += a * a + 100.0 * (b * b);
        }
        return sum;
    }
    static Numbers at(std::size_t n) {
        Numbers x(n);
        for (std::size_t i = 0; i < n; ++i) x[i] = i % 2 == 0 ? -1.2 : 1.0;
        return x;
    }
    static Numbers expected(const Numbers& x) {
        Numbers g(x.size(), 0.0);
        for (std::size_t i = 0; i + 1 < x.size(); ++i) {
            double a = 1.0 - x[i], b = x[i + 1] - x[i] * x[i];
            g[i] -= 2.0 * a + 400.0 * x[i] * b;
            g[i + 1] += 200.0 * b;
        }
        return g;
    }
};

// The log-likelihood of a Gaussian mixture (ADBench); independents in the order alphas, means, factors.
struct Mixture {
    std::size_t d, k, n;
    Numbers x, data;
    double gamma, m;

    static bool read(const std::string& path, Mixture& f) {
        std::ifstream in(path);
        if (!(in >> f.d >> f.k >> f.n)) return false;
        f.x.resize(f.k * (1 + f.d + f.d * (f.d + 1) / 2));
        f.data.resize(f.n * f.d);
        for (double& v : f.x) in >> v;
        for (double& v : f.data) in >> v;
        return static_cast<bool>(in >> f.gamma >> f.m);
    }
    static double value(double v) { return v; }
    template <class T> static double value(const T& v) {
#ifdef WITH_ADOLC
        if constexpr (std::is_same_v<T, adouble>) return v.value();
        else
#endif
            return v.val();
    }
    // The shift is a plain number: the derivative does not depend on it.
    template <class T> static T log_sum_exp(const std::vector<T>& terms) {
        using std::exp;
        using std::log;
        double shift = value(terms[0]);
        for (const T& term : terms) shift = std::max(shift, value(term));
        T sum = 0.0;
        for (const T& term : terms) sum += exp(term - shift);
        return log(sum) + shift;
    }
    template <class T> T operator()(const std::vector<T>& x) const {
        using std::exp;
        const std::size_t pieces = d * (d + 1) / 2, means = k, factors = k + k * d;
        std::vector<T> alphas(x.begin(), x.begin() + static_cast<long>(k)), diagonals(k * d, T(0.0)), logs(k, T(0.0));
        T prior = 0.0;
        for (std::size_t j = 0; j < k; ++j) {
            const T* q = &x[factors + j * pieces];
            T squares = 0.0;
            for (std::size_t i = 0; i < d; ++i) {
                diagonals[j * d + i] = exp(q[i]);
                logs[j] += q[i];
                squares += diagonals[j * d + i] * diagonals[j * d + i];
            }
            for (std::size_t i = d; i < pieces; ++i) squares += q[i] * q[i];
            prior += (0.5 * gamma * gamma) * squares - m * logs[j];
        }
        T likelihood = 0.0;
        std::vector<T> terms(k, T(0.0)), centred(d, T(0.0));
        for (std::size_t p = 0; p < n; ++p) {
            for (std::size_t j = 0; j < k; ++j) {
                const T* lower = &x[factors + j * pieces + d];
                for (std::size_t i = 0; i < d; ++i) centred[i] = data[p * d + i] - x[means + j * d + i];
                T norm = 0.0;
                for (std::size_t row = 0; row < d; ++row) {
                    T entry = diagonals[j * d + row] * centred[row];
                    for (std::size_t column = 0; column < row; ++column)
                        entry += lower[column * (2 * d - column - 1) / 2 + row - column - 1] * centred[column];
                    norm += entry * entry;
                }
                terms[j] = alphas[j] + logs[j] - 0.5 * norm;
            }
            likelihood += log_sum_exp(terms);
        }
        // Constants do not change the gradient.
        return likelihood - static_cast<double>(n) * log_sum_exp(alphas) + prior;
    }
};

struct Contestant {
    std::string name;
    std::function<Numbers()> run;
};

#ifdef WITH_ADOLC
template <class F> double trace(const F& f, const Numbers& x) {
    std::vector<adouble> active(x.size());
    double value = 0.0;
    trace_on(1);
    for (std::size_t i = 0; i < x.size(); ++i) active[i] <<= x[i];
    adouble y = f(active);
    y >>= value;
    trace_off();
    return value;
}
Numbers adolc_gradient(const Numbers& x) {
    Numbers g(x.size());
    // It takes the point as a pointer to numbers that it does not change.
    gradient(1, static_cast<int>(x.size()), const_cast<double*>(x.data()), g.data());
    return g;
}
#endif

template <class F> std::vector<Contestant> contestants(const F& f, const Numbers& x) {
    std::vector<Contestant> all;
#ifdef WITH_SACADO
    using Active = Sacado::Rad::ADvar<double>;
    all.push_back({"Sacado Rad", [&] {
        std::vector<Active> active(x.begin(), x.end());
        Active y = f(active);
        Sacado::Rad::ADvar<double>::Gradcomp();
        Numbers g(x.size());
        for (std::size_t i = 0; i < x.size(); ++i) g[i] = active[i].adj();
        return g;
    }});
#endif
#ifdef WITH_ADOLC
    all.push_back({"ADOL-C", [&] {
        trace(f, x);
        return adolc_gradient(x);
    }});
#endif
    return all;
}

double median(Numbers times) {
    std::sort(times.begin(), times.end());
    return times[times.size() / 2];
}

template <class R> double time(std::size_t times, const R& run) {
    using Clock = std::chrono::steady_clock;
    auto start = Clock::now();
    for (std::size_t i = 0; i < times; ++i) run();
    return std::chrono::duration<double>(Clock::now() - start).count() / static_cast<double>(times);
}

double deviation(const Numbers& found, const Numbers& expected) {
    double scale = 0.0, worst = 0.0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
        scale = std::max(scale, std::abs(expected[i]));
        double difference = std::abs(found[i] - expected[i]);
        if (!std::isfinite(difference)) return HUGE_VAL;
        worst = std::max(worst, difference);
    }
    return worst / scale;
}

struct Measured {
    std::string name;
    double seconds, deviation;
};
struct Outcome {
    double plain = 0.0;
    std::vector<Measured> measured;
    std::string failed;
};

template <class F> Outcome measure(const F& f, const Numbers& x, const Numbers& expected, int rounds, const std::string& on) {
    auto all = contestants(f, x);
    Outcome outcome;
    std::vector<Contestant> right;
    for (auto& contestant : all) {
        double worst = deviation(contestant.run(), expected);
        if (worst <= 1e-8) {
            right.push_back(contestant);
            outcome.measured.push_back({contestant.name, 0.0, worst});
        } else {
            std::ostringstream reason;
            reason << (outcome.failed.empty() ? "" : ", ") << '"' << contestant.name << on << "\": \"it deviates by " << worst << '"';
            outcome.failed += reason.str();
        }
    }
    // Short functions are repeated, so that the clock's own cost vanishes.
    const std::size_t times = std::max<std::size_t>(1, 4096 / x.size());
    Numbers plain;
    std::vector<Numbers> seconds(right.size());
    static volatile double sink;
    for (int round = 0; round <= rounds; ++round) {
        // Without this, the compiler may compute the value of constants once.
        double p = time(times, [&] {
            asm volatile("" : : "r"(x.data()) : "memory");
            sink = f(x);
        });
        if (round > 0) plain.push_back(p);
        for (std::size_t i = 0; i < right.size(); ++i) {
            double s = time(times, [&] { sink = right[i].run()[0]; });
            if (round > 0) seconds[i].push_back(s);
        }
    }
    outcome.plain = median(plain);
    for (std::size_t i = 0; i < right.size(); ++i) outcome.measured[i].seconds = median(seconds[i]);
    return outcome;
}

// The numbers of the array after a key; the files are our own, so nothing else needs to be understood.
Numbers array_after(const std::string& path, const std::string& key) {
    std::ifstream in(path);
    std::stringstream all;
    all << in.rdbuf();
    std::string text = all.str();
    Numbers numbers;
    auto at = text.find('"' + key + '"');
    if (at == std::string::npos) return numbers;
    at = text.find('[', at) + 1;
    for (const char* p = text.c_str() + at; *p != '\0' && *p != ']';) {
        char* end = nullptr;
        double v = std::strtod(p, &end);
        if (end == p) { ++p; continue; }
        numbers.push_back(v);
        p = end;
    }
    return numbers;
}

int main(int count, char** arguments) {
    const std::string adbench = count > 1 ? arguments[1] : "../shared/adbench";
    const int rounds = count > 2 ? std::atoi(arguments[2]) : 11;
    std::string failed, points;
    auto fail = [&](const std::string& text) {
        if (!text.empty()) failed += (failed.empty() ? "" : ", ") + text;
    };
#ifndef WITH_ADOLC
    fail("\"ADOL-C\": \"its package libadolc-dev is not installed\"");
#endif
#ifndef WITH_SACADO
    fail("\"Sacado\": \"its packages libtrilinos-sacado-dev and libtrilinos-kokkos-dev are not installed\"");
#endif
    std::printf("{\n\"name\": \"c++\",\n\"cases\": [");
    Mixture f;
    auto expected = array_after(adbench + "/expected/gmm_1k_d10_K25.json", "gradient");
    if (Mixture::read(adbench + "/gmm/gmm_d10_K25.txt", f) && expected.size() == f.x.size()) {
        auto outcome = measure(f, f.x, expected, rounds, "");
        std::string peers, deviations;
        char text[256];
        for (const auto& m : outcome.measured) {
            const char* comma = peers.empty() ? "" : ", ";
            std::snprintf(text, sizeof text, "%s\"%s\": %.6e", comma, m.name.c_str(), m.seconds);
            peers += text;
            std::snprintf(text, sizeof text, "%s\"%s\": %.3e", comma, m.name.c_str(), m.deviation);
            deviations += text;
        }
        std::printf("{\"name\": \"gmm d=10 K=25 N=1000\", \"rounds\": %d, \"plain_seconds\": %.6e, \"peers\": {%s}, \"deviations\": {%s}, "
                    "\"failed\": {%s}}", rounds, outcome.plain, peers.c_str(), deviations.c_str(), outcome.failed.c_str());
    } else {
        fail("\"gmm\": \"there is no instance in the folder\"");
    }
    std::printf("],\n\"points\": [");
    const char* comma = "\n";
    for (std::size_t n : {4, 16, 64, 256, 1024, 4096, 16384, 65536}) {
        auto x = Rosen::at(n);
        auto outcome = measure(Rosen{}, x, Rosen::expected(x), rounds, " on rosen n=" + std::to_string(n));
        for (const auto& m : outcome.measured) {
            std::printf("%s{\"tool\": \"%s\", \"problem\": \"rosen\", \"inputs\": %zu, \"seconds\": %.6e, \"ratio\": %.4f, "
                        "\"deviation\": %.3e}", comma, m.name.c_str(), n, m.seconds, m.seconds / outcome.plain, m.deviation);
            comma = ",\n";
        }
        fail(outcome.failed);
    }
    std::printf("\n],\n\"failed\": {%s}\n}\n", failed.c_str());
    return 0;
}
