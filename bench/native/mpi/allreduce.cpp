// MPI's own sum over all ranks, as osu_allreduce measures it: one buffer, again and again. A program to be started by
// mpirun: rank 0 reads "elements calls" from its input and prints the seconds that so many calls took, at the slowest
// rank. Without MPI's header, which Debian's packages of the library alone have not: what is declared here is Open
// MPI's.
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

extern "C" {
struct ompi_predefined;
extern ompi_predefined ompi_mpi_comm_world, ompi_mpi_float, ompi_mpi_double, ompi_mpi_long, ompi_mpi_op_sum,
    ompi_mpi_op_max;
int MPI_Init(int*, char***);
int MPI_Finalize();
int MPI_Comm_rank(void*, int*);
int MPI_Barrier(void*);
int MPI_Bcast(void*, int, void*, int, void*);
int MPI_Ibcast(void*, int, void*, int, void*, void**);
int MPI_Test(void**, int*, void*);
int MPI_Allreduce(const void*, void*, int, void*, void*, void*);
double MPI_Wtime();
}

namespace {

void* const kWorld = &ompi_mpi_comm_world;

// Asleep, so that the other side of a comparison has the CPU when it has its turn.
void take_order(long* order) {
  void* request;
  MPI_Ibcast(order, 2, &ompi_mpi_long, 0, kWorld, &request);
  for (int done = 0; !done;) {
    MPI_Test(&request, &done, nullptr);
    if (!done) usleep(1000);
  }
}

double seconds_of(float* in, float* out, long elements, long calls) {
  MPI_Barrier(kWorld);
  const double start = MPI_Wtime();
  for (long i = 0; i < calls; ++i) {
    MPI_Allreduce(in, out, static_cast<int>(elements), &ompi_mpi_float, &ompi_mpi_op_sum, kWorld);
  }
  double own = MPI_Wtime() - start, slowest = 0;
  MPI_Allreduce(&own, &slowest, 1, &ompi_mpi_double, &ompi_mpi_op_max, kWorld);
  return slowest;
}

}  // namespace

int main(int count, char** words) {
  MPI_Init(&count, &words);
  int rank = 0;
  MPI_Comm_rank(kWorld, &rank);
  constexpr long kMost = 64 << 20;
  float* const in = static_cast<float*>(aligned_alloc(64, kMost));
  float* const out = static_cast<float*>(aligned_alloc(64, kMost));
  for (long i = 0; i < kMost / 4; ++i) in[i] = static_cast<float>(i % 100), out[i] = 0;
  for (;;) {
    long order[2] = {0, 0};
    if (rank == 0 && scanf("%ld %ld", &order[0], &order[1]) != 2) order[0] = 0;
    take_order(order);
    if (order[0] <= 0 || order[0] * 4 > kMost) break;
    const double seconds = seconds_of(in, out, order[0], order[1]);
    if (rank == 0) {
      printf("{\"seconds\":%.9f}\n", seconds);
      fflush(stdout);
    }
  }
  MPI_Finalize();
  return 0;
}
